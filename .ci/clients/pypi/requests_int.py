import requests
from requests.adapters import HTTPAdapter

from call import headers, json, method, tell, timeout, url

session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=3))
tell(lambda: session.request(method, url, headers=headers, json=json, timeout=timeout).status_code)
