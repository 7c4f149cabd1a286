"""Upload, create, poll, download with the standard library: journey.py URL KEY CLIP OUTPUT"""

import json
import sys
import time
import urllib.error
import urllib.request
import uuid

url, key, clip, output = sys.argv[1:]


def call(method, path, body=None, **headers):
    headers = {"X-Api-Key": key, **{name.replace("_", "-"): value for name, value in headers.items()}}
    for _ in range(4):
        request = urllib.request.Request(path if "://" in path else url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            if error.code != 429:
                raise
            time.sleep(int(error.headers["Retry-After"]))
    raise SystemExit("429 four times")


with open(clip, "rb") as file:
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="clip.mp4"\r\n\r\n'
    form = head.encode() + file.read() + f"\r\n--{boundary}--\r\n".encode()
upload = json.loads(call("POST", "/v1/uploads", form, Content_Type=f"multipart/form-data; boundary={boundary}"))
order = json.dumps({"video_url": upload["video_url"]}).encode()
job = json.loads(call("POST", "/v1/jobs", order, Content_Type="application/json", Idempotency_Key=uuid.uuid4().hex))
while (state := json.loads(call("GET", f"/v1/jobs/{job['id']}"))["status"]) != "completed":
    if state == "failed":
        raise SystemExit(state)
    time.sleep(2)
download = json.loads(call("GET", f"/api/download/{job['id']}"))
with open(output, "wb") as file:
    file.write(call("GET", download["download_url"]))
