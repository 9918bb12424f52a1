"""C3: how one machine serves an entry."""

from __future__ import annotations

from centralized_ml_api.config.checks.local import addresses, command, context, python_folder, weights

RULES = (*weights.RULES, *command.RULES, *addresses.RULES, *python_folder.RULES, *context.RULES)
