import httpx

from call import headers, json, method, tell, timeout, url

client = httpx.Client(transport=httpx.HTTPTransport(retries=3), **({"timeout": timeout} if timeout else {}))
tell(lambda: client.request(method, url, headers=headers, json=json).status_code)
