import httpx
from openai import OpenAI

from call import careful, headers, json, method, tell, timeout, url

# <careful>
settings = {"max_retries": 4}
# </careful>
# Calls of its own API go through the same post() and get().
base = httpx.URL(url)
own = {**(settings if careful else {}), **({"timeout": timeout} if timeout else {})}
client = OpenAI(api_key="sk-test", base_url=base.copy_with(path="/"), default_headers=headers, **own)


def call():
    if method == "POST":
        return client.post(base.path, cast_to=httpx.Response, body=json).status_code
    return client.get(base.path, cast_to=httpx.Response).status_code


tell(call)
