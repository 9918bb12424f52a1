"""Renders what is deployed, for `mlapi status --target aws`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.api.event_end import render_end, render_instant
from centralized_ml_api.api.event_start import render_start
from centralized_ml_api.commands import command
from centralized_ml_api.plan.columns import render_columns

if TYPE_CHECKING:
    from datetime import datetime

    from centralized_ml_api.aws.stack.status import EndpointStatus, StackStatus

_HEADER = ("MODEL", "STATE", "INSTANCES", "ENDPOINT")


def render_stack(status: StackStatus, now: datetime, flags: tuple[str, ...]) -> str:
    """Returns the address, a line for each endpoint, then what is wrong and what to do about it.

    Args:
        status: What is deployed.
        now: The present instant.
        flags: Those that name the stack.
    """
    lines = [f"{status.stack} in {status.region}: {status.state}, {status.address or 'without an address'}"]
    if status.starts and status.starts > now:
        lines.append(render_start(status.starts, now))
    if status.ends:
        over = f"Ended at {render_instant(status.ends)}; what is left is deleted again every half hour"
        lines.append(render_end(status.ends, now) if status.ends > now else over)
    if status.ends and not status.is_end_whole:
        again = command("extend", render_instant(status.latest_end or status.ends), "--target", "aws", *flags)
        lines.append(f"Not everything ends then; move the end once more: {again}")
    if status.mail:
        lines += [f"mail: {status.mail}", f"  fix: {status.mail_fix}"]
    for secret in status.keyless:
        lines += [
            f"{secret} holds no provider's key",
            "  fix: deploy again, with the key where the config says",
        ]
    if not status.endpoints:
        return "\n".join([*lines, "There are no endpoints of its own."])
    lines += render_columns([_HEADER, *(_cells(endpoint) for endpoint in status.endpoints)])
    for endpoint in status.endpoints:
        if endpoint.trouble:
            lines += ["", f"{endpoint.entry}: {endpoint.trouble}"]
            lines += [f"  fix: {endpoint.fix}"] if endpoint.fix else []
    return "\n".join(lines)


def next_words(status: StackStatus, flags: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the command that looks into what is wrong; where nothing is, the one that calls the models."""
    if status.is_well and status.address:
        return "smoke", status.address
    return "doctor", "--target", "aws", *flags


def _cells(endpoint: EndpointStatus) -> tuple[str, ...]:
    instances = " + ".join(f"{count} x {kind}" for count, kind in endpoint.instances) or "none"
    return endpoint.entry, endpoint.state, instances, endpoint.endpoint
