"""One try, for the libraries that run any function again."""
import httpx

from call import headers, is_transient, json, longest, method, retry_after, timeout, url

client = httpx.Client(**({"timeout": timeout} if timeout else {}))


def send():
    response = client.request(method, url, headers=headers, json=json)
    response.raise_for_status()
    return response.status_code


def may_repeat(error):
    response = getattr(error, "response", None)
    if response is None:
        return isinstance(error, httpx.TransportError)
    return is_transient(response.status_code) and retry_after(response.headers) <= longest


def asked(error):
    return retry_after(getattr(getattr(error, "response", None), "headers", None))
