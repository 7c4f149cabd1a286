from urllib.parse import urlsplit

from openai import OpenAI

from call import careful, headers, json, tell, timeout, url

# <careful>
settings = {"max_retries": 4}
# </careful>
# Calls of its own API go through the same post() and get().
base = urlsplit(url)
own = {**(settings if careful else {}), **({"timeout": timeout} if timeout else {})}
client = OpenAI(api_key="sk-test", base_url=f"{base.scheme}://{base.netloc}", default_headers=headers, **own)


def call():
    """It raises on every status that is not 2xx."""
    if json:
        client.post(base.path, cast_to=object, body=json)
    else:
        client.get(base.path, cast_to=object)
    return 200


tell(call)
