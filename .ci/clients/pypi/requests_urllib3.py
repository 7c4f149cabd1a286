import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, ResponseError
from urllib3.util import Retry

from call import backoff, careful, headers, json, longest, method, retry_after, tell, timeout, url


# <careful>
class Careful(Retry):
    def get_backoff_time(self):
        # Its own has no wait before the second try.
        return backoff(len(self.history) - 1)

    def increment(self, method=None, url=None, response=None, error=None, _pool=None, _stacktrace=None):
        # Its retry_after_max cuts a wait of a day, and comes back early.
        if response is not None and retry_after(response.headers) > longest:
            raise MaxRetryError(_pool, url, ResponseError(f"asked to wait {response.headers['Retry-After']}"))
        return super().increment(method, url, response, error, _pool, _stacktrace)


settings = Careful(total=4, allowed_methods=["GET", "POST"], status_forcelist=[429, 500, 502, 503, 504])
# </careful>
ordinary = Retry(total=3, backoff_factor=0.1, status_forcelist=[502, 503, 504], allowed_methods={"POST"})
session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=settings if careful else ordinary))
tell(lambda: session.request(method, url, headers=headers, json=json, timeout=timeout).status_code)
