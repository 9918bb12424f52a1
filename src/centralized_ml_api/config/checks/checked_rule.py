"""A rule that is checked on the document, once its text has been read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from centralized_ml_api.config.checks.context import Context
from centralized_ml_api.config.rule import Rule
from centralized_ml_api.errors import Problem

Check = Callable[[Context], Iterable[Problem]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRule(Rule):
    """A rule, and the pure function that finds every place where a config breaks it.

    A check looks at the parts that are right while others are not, so it ignores values of the wrong type:
    the shape of the file is reported already.
    """

    check: Check
