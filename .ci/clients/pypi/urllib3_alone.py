import urllib3

from call import headers, json, method, tell, timeout, url

own = {}
if timeout:
    own["timeout"] = timeout
if json:
    own["json"] = json
tell(lambda: urllib3.request(method, url, headers=headers, **own).status)
