import urllib3

from call import careful, headers, json, method, tell, timeout, url

# <careful>
settings = urllib3.Retry(
    total=4,
    allowed_methods=["GET", "POST"],
    status_forcelist=[429, 500, 502, 503, 504],
    backoff_factor=1,
    backoff_jitter=1,
)
# </careful>
own = {"retries": settings} if careful else {}
if timeout:
    own["timeout"] = timeout
if json:
    own["json"] = json
tell(lambda: urllib3.request(method, url, headers=headers, **own).status)
