import httpx
import stamina

from call import careful, tell
from send import asked, may_repeat, send

# <careful>
def on(error):
    """A number is the wait: a bare True leaves it to stamina."""
    if not may_repeat(error):
        return False
    return asked(error) or True


settings = {"on": on, "attempts": 5, "timeout": 300, "wait_initial": 1.0, "wait_jitter": 1.0, "wait_max": 16.0}
# </careful>
ordinary = {"on": httpx.HTTPError, "attempts": 3}
tell(lambda: stamina.retry(**(settings if careful else ordinary))(send)())
