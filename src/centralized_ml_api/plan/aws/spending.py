"""What the streaming function must know to count tokens and dollars: limits and prices. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from centralized_ml_api.errors import DeployError
from centralized_ml_api.plan.aws.event import list_places
from centralized_ml_api.plan.event import POT, SpendingLimit
from centralized_ml_api.plan.serving import Serving
from centralized_ml_api.plan.token_prices import find_price_on_aws
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.plan.event import EventPlan
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

OWNER_KEY, PERIOD_KEY, EXPIRY = "holder", "span", "expires_at"
"""What items of the table have: the two parts of their key, and the second from which on they may go."""

TEAM_OWNER, COUNTED_SPAN = "team#", "counted#"
"""How the key begins of what a team has used, and of what is only counted: a day and a model follow."""

GRANTED_SPAN = "granted"
"""The key of what a team has been granted on top of its limits."""

COUNTED = (
    "The function that streams counts what teams spend in tokens and dollars, in a table of DynamoDB."
    " All calls of models pass through it, those of their own paths too."
)
"""Tells a reader of the plan."""


@record
class EntrySpending:
    """What is known of an entry.

    `price` is in picodollars of a token read, from a cache, written; None where nobody knows it. An answer
    for which its caller has no number has `answer_tokens` at most.
    """

    price: tuple[int, int, int] | None
    answer_tokens: int


@record
class SpendingPlan:
    """The limits of each team that has some, with those of all teams as `POT`'s; the entries by name."""

    limits: Mapping[str, tuple[SpendingLimit, ...]] = field(default_factory=dict)
    entries: Mapping[str, EntrySpending] = field(default_factory=dict)

    @property
    def is_counted(self) -> bool:
        """Whether anything is limited: only then anything is counted."""
        return bool(self.limits)


NOT_COUNTED = SpendingPlan()


def build_spending(plan: ApiPlan) -> SpendingPlan:
    """Builds it; without limits there is nothing in it.

    Raises:
        DeployError: AWS cannot count the calls of an entry.
    """
    event = plan.event
    if not event.limits_spending:
        return NOT_COUNTED
    has_money = any(
        spending.has_money for spending in (event.pot, *(team.spending for team in event.kinds_of_teams))
    )
    entries = {entry.name: _build_entry(entry, has_money=has_money) for entry in plan.deployments}
    return SpendingPlan(dict(_list_limits(event)), entries)


def _list_limits(event: EventPlan) -> Iterator[tuple[str, tuple[SpendingLimit, ...]]]:
    teams = (*event.teams, *list_places(event))
    owners = [*((team.name, team.spending) for team in teams), (POT, event.pot)]
    yield from ((owner, spending.limits) for owner, spending in owners if spending.is_limited)


def _build_entry(entry: ModelDeployment, *, has_money: bool) -> EntrySpending:
    if entry.integration == "lambda":
        raise DeployError(
            f"the function of {entry.name} is called by API Gateway, which cannot count tokens or dollars",
            fix="remove the limits in tokens and dollars (`tokens_per_minute`, `usd`, `pot` and the like), or"
            f" give {entry.name} the integration `api`",
        )
    price = find_price_on_aws(entry)
    if has_money and price is None:
        raise DeployError(
            f"dollars are limited, and nobody knows what the tokens of {entry.name} cost",
            fix='add "price": {"input_per_million": 0, "output_per_million": 0} to it: a model that is paid'
            " by the hour costs nothing by the token",
        )
    amounts = (price.read, price.cached, price.written) if price else None
    return EntrySpending(amounts, entry.max_output_tokens or Serving.answer_tokens)


def render_spending(plan: SpendingPlan) -> dict[str, Any]:
    """Renders it as the function reads it: plain values, nothing where nothing is counted."""
    if not plan.is_counted:
        return {}
    return {
        "limits": {owner: [[*limit] for limit in limits] for owner, limits in plan.limits.items()},
        "entries": {
            name: {"price": entry.price and [*entry.price], "answer_tokens": entry.answer_tokens}
            for name, entry in plan.entries.items()
        },
    }
