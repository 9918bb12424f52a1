"""Every rule there is: the `RULES` of each family, in the order of their ids."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks import (
    aws,
    aws_limits,
    bedrock,
    event,
    fallback,
    integration,
    jumpstart,
    local,
    models,
    providers,
)
from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.document import rules as document_rules
from centralized_ml_api.config.shape import rules as shape_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.rule import Rule
    from centralized_ml_api.errors import Problem

_FAMILIES = (
    document_rules,
    shape_rules,
    models,
    integration,
    local,
    event,
    jumpstart,
    aws,
    aws_limits,
    providers,
    bedrock,
    fallback,
)

RULES: tuple[Rule, ...] = tuple(
    sorted(chain.from_iterable(family.RULES for family in _FAMILIES), key=lambda rule: rule.id)
)


def broken_rules(context: Context) -> Iterator[Problem]:
    """Yields what every check finds, rule by rule."""
    for rule in RULES:
        if isinstance(rule, CheckedRule):
            yield from rule.check(context)


def find_rule(written: str) -> Rule | None:
    """Returns the rule with that id, written in upper or lower case."""
    return next((rule for rule in RULES if rule.id == written.strip().upper()), None)
