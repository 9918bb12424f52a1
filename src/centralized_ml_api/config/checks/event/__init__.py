"""C4: who may call, how much and until when."""

from __future__ import annotations

from centralized_ml_api.config.checks.event import (
    aliases,
    appearance,
    budget,
    ends,
    hours,
    joining,
    limits,
    spending,
    starts,
    teams,
)

RULES = (
    *teams.RULES,
    *ends.RULES,
    *budget.RULES,
    *limits.RULES,
    *aliases.RULES,
    *starts.RULES,
    *appearance.RULES,
    *spending.RULES,
    *joining.RULES,
    *hours.RULES,
)
