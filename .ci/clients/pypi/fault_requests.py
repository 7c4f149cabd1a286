import requests

from fault_call import Seen, body, headers, method, sent_headers, timeout, url, warm

session = requests.Session()
if warm:
    session.get(warm, headers=headers, timeout=timeout)
seen = Seen()
try:
    # It reads the body before it returns.
    answer = session.request(method, url, headers=sent_headers, data=body, timeout=timeout)
    seen.head(answer.status_code)
    seen.body(answer.content)
    seen.value(answer.json())
    seen.end()
except Exception as error:
    seen.end(error)
