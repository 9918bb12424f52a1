"""The names of what a stack tells after its deploy, besides its address."""

from __future__ import annotations

KEY_IDS_OUTPUT = "TeamKeyIds"
"""API Gateway's ids of the teams' first keys, as JSON. Never their values."""

DASHBOARD_OUTPUT = "DashboardUrl"
"""Where CloudWatch shows what is called."""

KEY_ENDS_OUTPUT = "KeyEndsRole"
"""The ARN of the role by which `mlapi keys rotate` lets AWS end a key after its grace."""
