from tenacity import retry, retry_if_exception, stop_after_attempt

from call import backoff, careful, tell
from send import asked, may_repeat, send

# <careful>
settings = {
    "retry": retry_if_exception(may_repeat),
    "stop": stop_after_attempt(5),
    "wait": lambda state: max(backoff(state.attempt_number - 1), asked(state.outcome.exception())),
    "reraise": True,
}
# </careful>
ordinary = {"stop": stop_after_attempt(7)}
tell(lambda: retry(**(settings if careful else ordinary))(send)())
