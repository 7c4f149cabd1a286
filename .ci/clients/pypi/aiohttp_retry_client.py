import aiohttp
from aiohttp_retry import ExponentialRetry, RetryClient
from aiohttp_retry.retry_options import RetryOptionsBase

from call import backoff, careful, headers, is_transient, json, longest, method, retry_after, tell, timeout, url


# <careful>
class Careful(RetryOptionsBase):
    def get_timeout(self, attempt, response=None):
        return max(backoff(attempt - 1), retry_after(response.headers if response is not None else None))


async def may_stay(response):
    return not is_transient(response.status) or retry_after(response.headers) > longest


lost = {aiohttp.ClientError, TimeoutError}
settings = Careful(
    attempts=5, exceptions=lost, retry_all_server_errors=False, evaluate_response_callback=may_stay
)
# </careful>


async def call():
    own = {"timeout": aiohttp.ClientTimeout(total=timeout)} if timeout else {}
    client = RetryClient(raise_for_status=False, retry_options=settings if careful else ExponentialRetry(attempts=3))
    async with client, client.request(method, url, headers=headers, json=json, **own) as response:
        return response.status


tell(call)
