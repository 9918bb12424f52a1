"""C3: how one machine serves an entry."""

from __future__ import annotations

from centralized_ml_api.config.checks.local import (
    addresses,
    answer_length,
    command,
    flags,
    groups,
    python_folder,
    shared_server,
    weights,
)

RULES = (
    *weights.RULES,
    *command.RULES,
    *addresses.RULES,
    *python_folder.RULES,
    *answer_length.RULES,
    *shared_server.RULES,
    *flags.RULES,
    *groups.RULES,
)
