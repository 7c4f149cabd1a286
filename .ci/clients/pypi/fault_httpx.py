import httpx

from fault_call import Seen, body, headers, method, sent_headers, timeout, url, warm

client = httpx.Client(timeout=timeout)
if warm:
    client.get(warm, headers=headers)
seen = Seen()
try:
    # It reads the body before it returns.
    answer = client.request(method, url, headers=sent_headers, content=body)
    seen.head(answer.status_code)
    seen.body(answer.content)
    seen.value(answer.json())
    seen.end()
except Exception as error:
    seen.end(error)
