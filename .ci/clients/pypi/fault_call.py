"""What each program of the faults is called with, and how it says where its caller's code meets the fault."""
import json as json_module
import os

url, method, key = os.environ["URL"], os.environ["METHOD"], os.environ["KEY"]
timeout = float(os.environ["TIMEOUT"]) / 1000
warm = os.environ.get("WARM")
body = open(os.environ["BODY"], "rb").read() if os.environ.get("BODY") else None
headers = {"X-Api-Key": key}
sent_headers = {**headers, **({"Content-Type": os.environ["TYPE"]} if os.environ.get("TYPE") else {})}


def text_of(error):
    """The exception, and what it was raised from."""
    said = []
    while error is not None and len(said) < 2:
        said.append(f'{type(error).__name__} "{str(error)[:120]}"')
        error = error.__cause__ or error.__context__
    return " <- ".join(said).replace("\n", " ")


class Seen(dict):
    """Takes down how far a call came."""

    def __init__(self):
        super().__init__(where="call")

    def head(self, status):
        self.update(status=status, where="body")

    def body(self, data):
        self.update(bytes=len(data), where="json")

    def value(self, value):
        self.update(value="object" if isinstance(value, dict) else repr(value)[:20], where="none")

    def end(self, error=None):
        if error is not None:
            self["error"] = text_of(error)
        print(json_module.dumps(self), flush=True)
        os._exit(0)
