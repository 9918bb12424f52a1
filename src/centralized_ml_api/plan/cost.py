"""What a plan costs on AWS, as far as the prices are known. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from centralized_ml_api.catalog.prices.types import PRICING_PAGE, Price, PriceList
from centralized_ml_api.plan.types import (
    BedrockModel,
    ExistingEndpoint,
    JumpStartModel,
    PackageModel,
    ProviderModel,
)
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

HOURS_A_DAY = 24
BUDGET_HOURS = Decimal(30 * HOURS_A_DAY)
"""What a monthly budget is compared with when the deployment has no earlier end: 30 days."""

ELSEWHERE = "already exists; billed where it was created"
TOKENS = "what {provider} charges for tokens"
SOFTWARE = "the software price, which the model's page in the AWS Marketplace lists, is extra"

_MILLION = 1_000_000
_MIB_A_GB = 1024
_SECONDS_AN_HOUR = 3600

Verdict = Literal["within", "above", "unknown"]


@record
class UsdRange:
    """US dollars: the least and the most that it may be."""

    low: Decimal
    high: Decimal

    def __add__(self, other: UsdRange) -> UsdRange:
        return UsdRange(self.low + other.low, self.high + other.high)

    def times(self, factor: Decimal | int) -> UsdRange:
        """Multiplies the range by `factor`, which is not negative."""
        return UsdRange(self.low * factor, self.high * factor)


NOTHING = UsdRange(Decimal(0), Decimal(0))


@record
class EntryCost:
    """One entry of the config.

    `count` is the least and the most instances. `hourly` is what they cost: zero for an entry without own
    instances, None when one of its types has no known price. `unknown` says in sentences what is not in
    `hourly` and where to find it. `function_per_million` is what a million calls cost the entry's function,
    from one that returns at once to one that takes all of its time; None when that is not known, zero without
    a function. `used` are the prices of its instances. `asleep_saves` is what an instance of a model that may
    sleep does not cost in an hour asleep; None for any other, and where a price is unknown.
    """

    name: str
    instances: tuple[str, ...]
    count: tuple[int, int]
    hourly: UsdRange | None
    unknown: tuple[str, ...]
    function_per_million: UsdRange | None
    used: tuple[Price, ...]
    asleep_saves: UsdRange | None = None

    @property
    def is_complete(self) -> bool:
        """Whether `hourly` is all that the entry costs an hour."""
        return not self.unknown

    def over(self, hours: Decimal, awake_hours: Decimal | None = None) -> UsdRange | None:
        """Returns what its instances cost; None where `hourly` is.

        Args:
            hours: How long it exists.
            awake_hours: For how many of them a model that may sleep is awake by the hours of the event, with
                at least one instance; None where the event has no hours.
        """
        if self.hourly is None or self.asleep_saves is None or awake_hours is None:
            return self.hourly.times(hours) if self.hourly else None
        return UsdRange(self.asleep_saves.low, self.hourly.high).times(awake_hours)


@record
class Cost:
    """All entries, in config order, by the prices of one region."""

    entries: tuple[EntryCost, ...]
    prices: PriceList

    @property
    def hourly(self) -> UsdRange:
        """The cost of all instances in an hour, as far as it is known; more where `is_complete` is False."""
        return sum((entry.hourly for entry in self.entries if entry.hourly), NOTHING)

    @property
    def is_complete(self) -> bool:
        """Whether every price of an hour is known."""
        return all(entry.is_complete for entry in self.entries)

    def over(self, hours: Decimal, awake_hours: Decimal | None = None) -> UsdRange:
        """Returns the cost of all instances in so many hours, as far as it is known; see `EntryCost.over`."""
        return sum((entry.over(hours, awake_hours) or NOTHING for entry in self.entries), NOTHING)

    def of_requests(self, number: int) -> UsdRange | None:
        """Returns the cost of so many calls to any entries; None when the prices of calls are unknown.

        More where `are_calls_complete` is False.
        """
        requests = self.prices.requests
        if requests is None:
            return None
        functions = [entry.function_per_million or NOTHING for entry in self.entries] or [NOTHING]
        api = requests.api_per_million.usd
        low, high = min(function.low for function in functions), max(function.high for function in functions)
        return UsdRange(api + low, api + high).times(Decimal(number) / _MILLION)

    @property
    def are_calls_complete(self) -> bool:
        """Whether the cost of calls is known for every entry."""
        return all(entry.function_per_million is not None for entry in self.entries)

    @property
    def used(self) -> tuple[Price, ...]:
        """Every price that went into it."""
        instances = tuple(price for entry in self.entries for price in entry.used)
        requests = self.prices.requests
        if requests is None:
            return instances
        functions = any(entry.function_per_million != NOTHING for entry in self.entries)
        return (*instances, *(requests.all if functions else (requests.api_per_million,)))


def build_cost(plan: ApiPlan, prices: PriceList, *, packages: Collection[str] = ()) -> Cost:
    """Computes what every entry costs.

    Args:
        plan: What the config asks for.
        prices: Those of the region where it will exist.
        packages: The names of JumpStart entries that are packages of the Marketplace.
    """
    passes = plan.event.limits_spending or plan.account.jobs
    entries = (_entry(entry, prices, packages, passes=passes) for entry in plan.deployments)
    return Cost(tuple(entries), prices)


def hours_until(ends: datetime, now: datetime) -> Decimal:
    """Returns the hours from `now` to `ends`; 0 when it is past."""
    return max(Decimal(0), Decimal(str((ends - now).total_seconds())) / _SECONDS_AN_HOUR)


def compare_budget(cost: Cost, usd: Decimal, hours: Decimal, awake_hours: Decimal | None = None) -> Verdict:
    """Compares the instances at full scale with a budget; unknown when prices are missing.

    Args:
        cost: What the plan costs.
        usd: The budget.
        hours: How long the instances run.
        awake_hours: How long those of models that may sleep run by the hours of the event; None without any.
    """
    if cost.over(hours, awake_hours).high > usd:
        return "above"
    return "within" if cost.is_complete else "unknown"


def _entry(
    entry: ModelDeployment, prices: PriceList, packages: Collection[str], *, passes: bool
) -> EntryCost:
    known = {name: prices.instances[name] for name in entry.instances if name in prices.instances}
    is_known = len(known) == len(entry.instances)
    sleeps = entry.autoscaling is not None and entry.autoscaling.sleeps and bool(known)
    return EntryCost(
        name=entry.name,
        instances=entry.instances,
        count=_count(entry),
        hourly=_hourly(known.values(), *_count(entry)) if is_known else None,
        unknown=(
            *_unpriced(entry, known.keys(), prices.region),
            *_software(entry, packages),
            *_tokens(entry),
        ),
        function_per_million=_function(entry, prices, passes=passes),
        used=tuple(known.values()),
        asleep_saves=_hourly(known.values(), 1, 1) if sleeps and is_known else None,
    )


def _count(entry: ModelDeployment) -> tuple[int, int]:
    if isinstance(entry.origin, ExistingEndpoint | ProviderModel | BedrockModel):
        return (0, 0)
    scaling = entry.autoscaling
    return (scaling.min_capacity, scaling.max_capacity) if scaling else (1, 1)


def _hourly(prices: Iterable[Price], fewest: int, most: int) -> UsdRange:
    """Returns the range over all types: SageMaker takes the first that has capacity."""
    usd = [price.usd for price in prices]
    if not usd:
        return NOTHING
    return UsdRange(fewest * min(usd), most * max(usd))


def _unpriced(entry: ModelDeployment, known: Collection[str], region: str) -> Iterable[str]:
    missing = [name for name in entry.instances if name not in known]
    if missing:
        yield f"the price of {' and '.join(missing)} in {region}: {PRICING_PAGE}"


def _software(entry: ModelDeployment, packages: Collection[str]) -> Iterable[str]:
    is_package = isinstance(entry.origin, PackageModel)
    if is_package or (isinstance(entry.origin, JumpStartModel) and entry.name in packages):
        yield SOFTWARE


def _tokens(entry: ModelDeployment) -> Iterable[str]:
    if isinstance(entry.origin, BedrockModel):
        yield TOKENS.format(provider="Bedrock")
    if isinstance(entry.origin, ProviderModel):
        yield TOKENS.format(provider=entry.origin.serving.title)


def _function(entry: ModelDeployment, prices: PriceList, *, passes: bool) -> UsdRange | None:
    """Returns the cost of a million calls; None when streaming, since nobody knows how long answers take.

    The function that streams calls providers, too, and with `passes` every model: where tokens or dollars are
    counted, or calls may become jobs.
    """
    is_hosted = isinstance(entry.origin, ProviderModel | BedrockModel)
    streams = is_hosted or entry.integration == "stream" or (passes and entry.function is None)
    if streams or (entry.function and prices.requests is None):
        return None
    if entry.function is None or prices.requests is None:
        return NOTHING
    calls = prices.requests.function_per_million.usd
    gigabytes = Decimal(entry.function.memory_mib) / _MIB_A_GB
    gb_seconds = gigabytes * entry.function.timeout_seconds * _MILLION
    return UsdRange(calls, calls + gb_seconds * prices.requests.function_per_gb_second.usd)
