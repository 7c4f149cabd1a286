import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from call import careful, headers, json, method, tell, timeout, url

# <careful>
settings = Retry(
    total=4,
    allowed_methods=["GET", "POST"],
    status_forcelist=[429, 500, 502, 503, 504],
    backoff_factor=1,
    backoff_jitter=1,
    retry_after_max=60,
)
# </careful>
ordinary = Retry(total=3, backoff_factor=0.1, status_forcelist=[502, 503, 504], allowed_methods={"POST"})
session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=settings if careful else ordinary))
tell(lambda: session.request(method, url, headers=headers, json=json, timeout=timeout).status_code)
