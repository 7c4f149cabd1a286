#!/usr/bin/env bash
# urllib3 2.8.0: Retry(backoff_factor=1) waits 0, 2, 4 s: the first retry follows at once.
# Seen on 2026-11-29: 3 tries, waits of 0.00, 2.00 s
set -euo pipefail
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder"
python3 -m venv venv && venv/bin/pip install --quiet --disable-pip-version-check urllib3==2.8.0
cat >main.py <<'PY'
import http.server
import threading
import time

import urllib3

times = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        times.append(time.monotonic())
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
retry = urllib3.Retry(total=2, backoff_factor=1, status_forcelist=[503], raise_on_status=False)
urllib3.request("GET", f"http://127.0.0.1:{server.server_port}/", retries=retry)
waits = [b - a for a, b in zip(times, times[1:])]
print(f"{len(times)} tries, waits of {', '.join(f'{wait:.2f}' for wait in waits)} s")
raise SystemExit(0 if waits[0] < 0.5 < waits[1] else 1)
PY
venv/bin/python main.py
