"""The Understudy mock as a pytest fixture."""

from .fixture import Mock, Understudy
from .process import UnderstudyError

__all__ = ["Mock", "Understudy", "UnderstudyError"]
