"""What an organizer sees on AWS, and what they are told of. Pure.

Both cost, so only an event has them: the graphs when the config has teams, an end or a budget, the alarms
when it has a budget, whose e-mail they go to. Of an account, the first three dashboards of up to 50 metrics
and the first ten alarms are free; after that it is 3 USD and 0.10 USD a month.
Source: https://aws.amazon.com/cloudwatch/pricing/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from centralized_ml_api.plan.aws.groups import Weight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from centralized_ml_api.plan.event import EventPlan

MOST_SHOWN = 50
"""Of models, and of functions, in the order of the config: more lines nobody can read, and all of 150 models
would take a fifth of a stack. CloudWatch has the metrics of the others too.
"""

_FIXED = Weight(resources=6, characters=9_000)
_SHOWN = Weight(characters=1_500)


@dataclass(frozen=True, slots=True)
class AlarmPlan:
    """When an e-mail is sent: `minutes` in a row, the value of each minute being above `threshold`.

    `of` says whose metric it is: this API's, or that of all functions of the account in the region.
    """

    id: str
    says: str
    of: Literal["api", "functions"]
    metric: str
    statistic: str
    threshold: float
    minutes: int


API_ERRORS = AlarmPlan(
    id="Errors",
    says="More than one call in twenty was answered with 5xx: a model or a function is broken or too slow.",
    of="api",
    metric="5XXError",
    statistic="Average",
    threshold=0.05,
    minutes=3,
)
API_LATENCY = AlarmPlan(
    id="Latency",
    says="One call in twenty takes 20 seconds or more; after 29 the API gives up.",
    of="api",
    metric="Latency",
    statistic="p95",
    threshold=20_000,
    minutes=5,
)
FUNCTION_THROTTLES = AlarmPlan(
    id="Throttles",
    says="Lambda turns calls away: the account runs as many functions at once as it may.",
    of="functions",
    metric="Throttles",
    statistic="Sum",
    threshold=0,
    minutes=2,
)


@dataclass(frozen=True, slots=True)
class DashboardPlan:
    """The graphs: of the API, of these endpoints of our own, of these functions and the one that streams.

    `email` is told of the `alarms`; without one there are none.
    """

    endpoints: tuple[str, ...]
    functions: tuple[str, ...]
    streams: bool
    alarms: tuple[AlarmPlan, ...]
    email: str | None

    @property
    def weight(self) -> Weight:
        """What it takes of the main stack."""
        shown = len(self.endpoints) + len(self.functions)
        return _FIXED + Weight(characters=shown * _SHOWN.characters)


def build_dashboard(
    event: EventPlan, endpoints: Sequence[str], functions: Sequence[str], *, streams: bool
) -> DashboardPlan | None:
    """The dashboard of an event; None where there is no event to watch.

    Args:
        event: the event as decided.
        endpoints: the entries with an endpoint of our own.
        functions: the entries with a function.
        streams: whether there is the function that streams.
    """
    if not (event.teams or event.ends or event.budget):
        return None
    has_functions = bool(functions) or streams
    return DashboardPlan(
        tuple(endpoints[:MOST_SHOWN]),
        tuple(functions[:MOST_SHOWN]),
        streams,
        _alarms(has_functions=has_functions, streams=streams) if event.budget else (),
        event.budget.email if event.budget else None,
    )


def _alarms(*, has_functions: bool, streams: bool) -> tuple[AlarmPlan, ...]:
    """A streamed answer may well take minutes, and would ring the alarm of latency for nothing."""
    latency = () if streams else (API_LATENCY,)
    throttles = (FUNCTION_THROTTLES,) if has_functions else ()
    return (API_ERRORS, *latency, *throttles)
