"""C2: how the gateway reaches a model, and the Lambda function between them."""

from __future__ import annotations

from centralized_ml_api.config.checks.integration import code, function, headers, permissions, runtimes

RULES = (*headers.RULES, *function.RULES, *code.RULES, *runtimes.RULES, *permissions.RULES)
