"""How the hours of an event change the capacity of models that sleep on AWS. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from centralized_ml_api.plan.aws.types import CapacityChange, HoursPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from centralized_ml_api.plan.aws.types import AwsPlan, HostingPlan
    from centralized_ml_api.plan.hours import Window
    from centralized_ml_api.plan.types import AutoscalingPlan

WARM_UP = timedelta(minutes=15)
"""How long before its hours a model begins to wake: longer than an instance and a model take to start."""

LONGEST_DEPLOY = timedelta(hours=1)
"""What a deploy may take until an action is scheduled, which must then be still to come.

EC2 Auto Scaling refuses actions in the past. The documentation of Application Auto Scaling does not say what
it does, so the template never holds one: each deploy leaves out what has passed.
Source: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScheduledUpdateGroupAction.html
"""


def keep_hours(plan: AwsPlan, now: datetime) -> AwsPlan:
    """Returns the plan whose models that may sleep keep the hours of the event; the same without hours."""
    hours = plan.api.event.hours
    if not hours:
        return plan
    return replace(plan, models=tuple(_keep(model, hours, now) for model in plan.models))


def _keep(model: HostingPlan, hours: Iterable[Window], now: datetime) -> HostingPlan:
    scaling = model.autoscaling
    return replace(model, hours=build_hours(hours, scaling, now)) if model.copy and scaling else model


def build_hours(hours: Iterable[Window], scaling: AutoscalingPlan, now: datetime) -> HoursPlan:
    """Builds how the capacity of a model that may sleep changes.

    Within the hours it has at least one copy, outside none, whoever calls. What would begin while the deploy
    may still take place begins with it; what would end then, ends an hour later.

    Args:
        hours: In their order.
        scaling: That of the model.
        now: The instant of the deploy.
    """
    awake, asleep = (1, scaling.max_capacity), (0, 0)
    changes, is_awake = list[CapacityChange](), False
    for begins, ends in _join(_move(hours, now)):
        if begins == now:
            is_awake = True
        else:
            changes.append(CapacityChange(begins, *awake))
        changes.append(CapacityChange(ends, *asleep))
    return HoursPlan(*(awake if is_awake else asleep), tuple(changes))


def _move(hours: Iterable[Window], now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yields from when to when there is a copy, with nothing before the deploy can have ended."""
    soon = now + LONGEST_DEPLOY
    for window in hours:
        begins = window.begins - WARM_UP
        if window.ends > now:
            yield now if begins <= soon else begins, max(window.ends, soon)


def _join(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Joins spans that overlap or touch."""
    joined = list[tuple[datetime, datetime]]()
    for begins, ends in spans:
        if joined and begins <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(ends, joined[-1][1])
        else:
            joined.append((begins, ends))
    return joined
