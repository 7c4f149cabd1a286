"""What each program in this folder is called with, and how it says what its caller's code gets to see."""
import asyncio
import os
import random
import time
import uuid
from email.utils import parsedate_to_datetime

url, method = os.environ["URL"], os.environ["METHOD"]
# Whether the settings that keep the rules are tried; else the library is left as it comes.
careful = os.environ["SETTINGS"] == "careful"
# Seconds; None: the library's own.
timeout = float(os.environ["TIMEOUT"]) / 1000 if os.environ.get("TIMEOUT") else None
json = {"video_url": "https://example.com/cat.mp4#t=5"} if method == "POST" else None
headers = {"X-Api-Key": os.environ["KEY"]}
if careful and json:
    # One key for one order: each try sends the same.
    headers["Idempotency-Key"] = str(uuid.uuid4())
# Nobody waits longer than a minute for an answer: who is asked to gives up.
longest = 60


def retry_after(given):
    """What Retry-After asks for, in seconds; 0 without one. For libraries that don't read it."""
    value = (given or {}).get("Retry-After", "")
    if value.isdigit():
        return int(value)
    try:
        return max(0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0


def backoff(n):
    """1 to 2 s, 2 to 4 s, 4 to 8 s, then 8 to 16 s; n is 0 for the first."""
    return 2 ** min(n, 3) * (1 + random.random())


def is_transient(status):
    """What may be sent again: a request that was limited, or that the server failed at."""
    return status == 429 or status >= 500


def tell(call):
    """Prints the status that the call returned, or what it raised."""
    try:
        print(f"answer {asyncio.run(call()) if asyncio.iscoroutinefunction(call) else call()}", flush=True)
    except Exception as error:  # noqa: BLE001
        causes = []
        while error is not None and len(causes) < 3:
            causes.append(f"{type(error).__name__} {str(error)[:200]!r}")
            error = error.__cause__ or error.__context__
        print("error " + " <- ".join(causes).replace("\n", " "), flush=True)
    os._exit(0)
