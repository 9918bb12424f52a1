"""What an update means for the people who call the API. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.aws.template_diff import Change

_EFFECTS = {
    ("AWS::SageMaker::Endpoint", "add"): "answers once its instances are ready, usually in 5 to 20 minutes",
    (
        "AWS::SageMaker::Endpoint",
        "update",
    ): "no downtime: the new instances take over before the old ones stop;"
    " until then both are paid for and count against the quota",
    ("AWS::SageMaker::Endpoint", "replace"): "down until the new endpoint is ready, usually 5 to 20 minutes",
    ("AWS::SageMaker::Endpoint", "remove"): "its path is gone",
    ("AWS::ApiGateway::RestApi", "update"): "no downtime: the new paths go live at the end",
    ("AWS::ApiGateway::RestApi", "replace"): "the address of the API changes: every caller must be told",
    ("AWS::ApiGateway::RestApi", "remove"): "the API is gone",
    ("AWS::ApiGateway::Stage", "replace"): "the API is down for some seconds",
    ("AWS::Lambda::Function", "update"): "no downtime",
    ("AWS::Lambda::Function", "replace"): "no downtime: the API moves to the new function",
}
"""By type and action; what is not listed nobody notices.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html (endpoints are
updated by a blue/green deployment, all at once by default).
"""

_ALONE = "nobody notices"


def describe_effect(change: Change) -> str:
    """What callers notice of one change, as part of a sentence."""
    return _EFFECTS.get((change.type, change.action), _ALONE)


def render_changes(changes: Sequence[Change]) -> str:
    """A line a change, what is replaced and what callers notice; a sentence when there is none."""
    if not changes:
        return "Nothing would change."
    return "\n".join(_line(change) for change in changes)


def changes_data(changes: Sequence[Change]) -> list[dict[str, object]]:
    """The same for `--json`."""
    return [
        {
            "action": one.action,
            "name": one.name,
            "type": one.type,
            "because": list(one.because),
            "effect": describe_effect(one),
        }
        for one in changes
    ]


def _line(change: Change) -> str:
    because = f" ({', '.join(change.because)})" if change.because else ""
    return f"  {change.action:<8} {change.type} {change.name}{because}: {describe_effect(change)}"
