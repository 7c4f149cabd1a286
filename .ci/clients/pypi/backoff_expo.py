import backoff
import httpx

from call import backoff as own_backoff
from call import careful, tell
from send import asked, may_repeat, send

# <careful>
last = [None]


def waits():
    yield None
    for n in range(4):
        yield max(own_backoff(n), asked(last[0]))


def give_up(error):
    last[0] = error
    return not may_repeat(error)


settings = {"wait_gen": waits, "exception": httpx.HTTPError, "giveup": give_up, "max_tries": 5, "jitter": None}
# </careful>
ordinary = {"wait_gen": backoff.expo, "exception": httpx.HTTPError}
tell(lambda: backoff.on_exception(**(settings if careful else ordinary))(send)())
