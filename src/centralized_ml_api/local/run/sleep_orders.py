"""Wakes an entry or lets it sleep when the user says so: what `mlapi wake` and `mlapi sleep` ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from centralized_ml_api.local.run.supervisor import Supervisor


def wake_entry(supervisor: Supervisor, name: str) -> dict[str, Any]:
    """Begins to wake an entry; returns `error` and `fix` where that is impossible, otherwise nothing."""
    refusal = _refuse(supervisor, name)
    if not refusal:
        supervisor.sleeping.wake(name)
    return refusal


def let_entry_sleep(supervisor: Supervisor, name: str) -> dict[str, Any]:
    """Lets an entry sleep once its calls are over; returns `error` and `fix` where that is impossible."""
    refusal = _refuse(supervisor, name)
    if refusal or supervisor.sleeping.sleep(name):
        return refusal
    return {"error": f"calls wait for {name}", "fix": "try again when they are answered"}


def _refuse(supervisor: Supervisor, name: str) -> dict[str, Any]:
    if name in supervisor.sleeping:
        return {}
    entries = [entry.name for entry in supervisor.plan.deployments]
    if name not in entries:
        return {"error": f"there is no entry {name}", "fix": f"name one of these: {', '.join(entries)}"}
    return {
        "error": f"{name} never sleeps",
        "fix": 'give its "local" one of "idle", "starts": "on-call" and "shares", and reload',
    }
