"""No order of reservations, ends, losses, deaths, clock steps and edits overspends on AWS."""

from __future__ import annotations

import math
import random
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from centralized_ml_api.config.token_prices import build_token_price
from centralized_ml_api.local.admission.needs import TEMPLATE_TOKENS
from support.fake_table import CONDITION_FAILED, ConditionFailedError, FakeTable
from support.ledger_process import LedgerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOON = 1_780_315_200
MINUTE, EVENT, SHARED = 100, 150, 200
THROTTLED = "ThrottlingException"


def limit(owner: str, unit: str, period: str, most: int) -> dict[str, Any]:
    return {"owner": owner, "unit": unit, "period": period, "most": most}


class Spending(RuleBasedStateMachine):
    """A ledger over a table whose answers come in any order, and a model that knows what calls really use."""

    process: LedgerProcess

    def __init__(self) -> None:
        super().__init__()
        self.table = FakeTable()
        self.now, self.event = NOON, EVENT
        self.number = 0
        self.requests: dict[int, dict[str, Any]] = {}
        self.asking: dict[str, set[int]] = {}
        self.open: dict[str, tuple[list[tuple[str, str]], int]] = {}
        self.really_used: Counter[tuple[str, str]] = Counter()
        self.is_lossless = True
        self.process.tell(reset=True)

    def tell(self, name: str, **command: Any) -> None:
        """Tells the ledger, and notes whose requests those are that follow."""
        told = self.process.tell(now=self.now, **command)
        for request in told["asked"]:
            self.requests[request["id"]] = {**request, "name": name}
        for ended in told["ended"]:
            if "accounts" in ended:
                accounts = [(key["holder"], key["span"]) for key in ended["accounts"]]
                assert min(ended["left"]) >= 0
                self.open[ended["name"]] = accounts, self.tokens_of(ended["name"])

    def tokens_of(self, name: str) -> int:
        return int(name.rpartition("-")[2])

    @rule(
        team=st.sampled_from(["red", "blue"]),
        tokens=st.integers(1, 110),
        answers=st.sampled_from([0, 1, 2, 3, 3, 9, 9, 9]),
    )
    def begin(self, team: str, tokens: int, answers: int) -> None:
        """A call that may use so many tokens asks for them, and gets some answers at once."""
        self.number += 1
        name = f"{team}-{self.number}-{tokens}"
        limits = [
            limit(team, "tokens", "minute", MINUTE),
            limit(team, "nanodollars", "event", self.event),
            limit("", "nanodollars", "event", SHARED),
        ]
        need = {"tokens": tokens, "nanodollars": tokens}
        self.tell(name, reserve={"name": name, "limits": limits, "need": need})
        for _ in range(answers):
            own = [number for number, request in self.requests.items() if request["name"] == name]
            if own:
                self.carry_out(self.requests.pop(min(own)), "whole")

    @rule(which=st.integers(0, 100), how=st.sampled_from(["whole"] * 6 + ["throttled", "before", "after"]))
    def answer(self, which: int, how: str) -> None:
        """DynamoDB answers one of its calls, or the call or its answer is lost."""
        if not self.requests:
            return
        number = sorted(self.requests)[which % len(self.requests)]
        self.carry_out(self.requests.pop(number), how)

    def carry_out(self, request: Mapping[str, Any], how: str) -> None:
        answer: dict[str, Any] = {"id": request["id"]}
        try:
            if how in {"whole", "after"}:
                result = self.table.call(request["operation"], request["parameters"])
            answer |= {"result": result} if how == "whole" else {"code": "Error"}
        except ConditionFailedError as error:
            answer |= {"code": CONDITION_FAILED, "item": error.item} if how == "whole" else {"code": "Error"}
        if how == "throttled":
            answer["code"] = THROTTLED
        self.is_lossless &= how == "whole"
        self.tell(request["name"], answer=answer)

    @rule(which=st.integers(0, 100), share=st.sampled_from([1.0, 0.5, 0.0, None]))
    def end(self, which: int, share: float | None) -> None:
        """A call is over; without a share nobody knows what it has used."""
        if self.open:
            self.settle(sorted(self.open)[which % len(self.open)], share)

    def settle(self, name: str, share: float | None) -> None:
        accounts, tokens = self.open.pop(name)
        used = tokens if share is None else int(tokens * share)
        for account in accounts:
            self.really_used[account] += used
        spent = None if share is None else {"tokens": used, "nanodollars": used}
        self.tell(name, settle={"name": name, "spent": spent})

    @rule(which=st.integers(0, 100), after=st.booleans())
    def die(self, which: int, after: bool) -> None:  # noqa: FBT001
        """The function of a call is killed: nobody hears what DynamoDB answers, and nothing is settled."""
        names = sorted({*self.open, *(request["name"] for request in self.requests.values())})
        if not names:
            return
        name = names[which % len(names)]
        self.is_lossless = False
        for number in [number for number, request in self.requests.items() if request["name"] == name]:
            request = self.requests.pop(number)
            try:
                if after:
                    self.table.call(request["operation"], request["parameters"])
            except ConditionFailedError:
                pass
        if name in self.open:
            accounts, tokens = self.open.pop(name)
            for account in accounts:
                self.really_used[account] += tokens  # its model went on

    @rule(seconds=st.sampled_from([-90, -1, 1, 30, 60, 1000]))
    def step_clock(self, seconds: int) -> None:
        """Time passes, or another instance's clock is behind."""
        self.now += seconds

    @rule(most=st.integers(80, EVENT))
    def edit(self, most: int) -> None:
        """The config changes: a smaller limit, or a larger one again."""
        self.event = most

    @invariant()
    def nothing_is_overspent(self) -> None:
        """No account is above its limit or below what is used of it, let alone below zero."""
        under_way: Counter[tuple[str, str]] = Counter()
        for accounts, tokens in self.open.values():
            under_way.update(dict.fromkeys(accounts, tokens))
        for (holder, span), item in self.table.items.items():
            most = SHARED if holder == "pot" else EVENT if span == "event" else MINUTE
            limited = "used_tokens" if span.startswith("minute") else "used_nanodollars"
            spent = self.really_used[holder, span] + under_way[holder, span]
            assert 0 <= spent <= item[limited] <= most
            assert item["open_tokens"] >= 0

    def teardown(self) -> None:
        """Once all is over, everything is released that was not used, unless something was lost."""
        while self.requests:
            self.carry_out(self.requests.pop(min(self.requests)), "whole")
        for name in sorted(self.open):
            self.settle(name, 0.5)
        while self.requests:
            self.carry_out(self.requests.pop(min(self.requests)), "whole")
        self.nothing_is_overspent()
        if self.is_lossless:
            for account, item in self.table.items.items():
                assert (item["used_tokens"], item["open_tokens"]) == (self.really_used[account], 0)


Spending.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


TestSpending = pytest.mark.slow(Spending.TestCase)


@pytest.fixture(scope="module", autouse=True)
def process() -> Iterator[LedgerProcess]:
    """One Node for all orders."""
    Spending.process = LedgerProcess()
    yield Spending.process
    Spending.process.close()


class Driver:
    """A ledger, and a table that answers what it asks, in an order of chance."""

    def __init__(self, process: LedgerProcess, seed: int) -> None:
        self.process, self.table = process, FakeTable()
        self.chance = random.Random(seed)  # noqa: S311  # no secret
        self.waiting: list[dict[str, Any]] = []
        self.ended: list[dict[str, Any]] = []
        self.tell(reset=True)

    def tell(self, **command: Any) -> None:
        """Tells the ledger, and keeps what it asks and what has ended."""
        told = self.process.tell(now=NOON, **command)
        self.waiting += told["asked"]
        self.ended += told["ended"]

    def finish(self) -> list[dict[str, Any]]:
        """Answers until nothing is asked any more; returns what has ended."""
        while self.waiting:
            request = self.waiting.pop(self.chance.randrange(len(self.waiting)))
            answer: dict[str, Any] = {"id": request["id"]}
            try:
                answer["result"] = self.table.call(request["operation"], request["parameters"])
            except ConditionFailedError as error:
                answer |= {"code": CONDITION_FAILED, "item": error.item}
            self.tell(answer=answer)
        ended, self.ended = self.ended, []
        return ended

    def used(self) -> dict[tuple[str, str], tuple[int, int]]:
        """The tokens used of each account, and those of calls under way."""
        return {key: (item["used_tokens"], item["open_tokens"]) for key, item in self.table.items.items()}


@pytest.fixture
def driver(process: LedgerProcess) -> Driver:
    return Driver(process, seed=1)


def test_200_calls_at_once_spend_a_budget_for_ten_and_no_token_more(driver: Driver) -> None:
    limits = [limit("red", "tokens", "event", 10 * 30), limit("", "tokens", "event", 10_000)]
    for number in range(200):
        need = {"tokens": 30, "nanodollars": 0}
        driver.tell(reserve={"name": f"call-{number}", "limits": limits, "need": need})
    assert len(driver.waiting) == 200, "all of them ask before the first is answered"
    ended = driver.finish()
    taken = [reservation["name"] for reservation in ended if "accounts" in reservation]
    assert (len(taken), sum(reservation.get("isShort", False) for reservation in ended)) == (10, 190)
    assert driver.used() == {("team#red", "event"): (300, 300), ("pot", "event"): (300, 300)}
    for name in taken:
        driver.tell(settle={"name": name, "spent": {"tokens": 20, "nanodollars": 0}})
    driver.finish()
    assert driver.used() == {("team#red", "event"): (200, 0), ("pot", "event"): (200, 0)}


def test_the_last_token_may_be_spent_and_what_is_refused_is_given_back(driver: Driver) -> None:
    def reserve(name: str, tokens: int) -> dict[str, Any]:
        limits = [limit("red", "tokens", "minute", 100), limit("", "tokens", "event", 120)]
        need = {"tokens": tokens, "nanodollars": 0}
        driver.tell(reserve={"name": name, "limits": limits, "need": need})
        (ended,) = driver.finish()
        return ended

    assert reserve("first", 60)["left"] == [40, 60]
    assert reserve("too much", 41)["isShort"]
    driver.tell(settle={"name": "first", "spent": {"tokens": 50, "nanodollars": 0}})
    driver.finish()
    assert reserve("second", 50)["left"] == [0, 20]
    assert reserve("third", 1)["isShort"]
    driver.tell(settle={"name": "second", "spent": None})
    driver.finish()
    assert driver.used() == {("team#red", f"minute#{NOON}"): (100, 0), ("pot", "event"): (100, 0)}


@pytest.mark.parametrize(
    ("max_tokens", "at_once", "share"), [(4096, 20, 0.83), (4096, 1, 0.99), (1000, 20, 0.95)]
)
def test_how_much_of_a_budget_so_many_calls_at_once_can_use(
    driver: Driver, max_tokens: int, at_once: int, share: float
) -> None:
    """The figures of docs/explanation/reservation.md for a dollar, which are those of one machine."""
    price = build_token_price(Decimal("0.25"), None, Decimal(2), "me")
    need, spent = price.cost(400 + TEMPLATE_TOKENS, 0, max_tokens), price.cost(100, 0, 50)
    most = 10**9
    limits = [limit("red", "nanodollars", "event", most), limit("", "nanodollars", "event", 100 * most)]

    def call_at_once() -> int:
        """Returns how many calls there is room for; all of them end before others begin."""
        for number in range(at_once):
            asked = {"tokens": 0, "nanodollars": need}
            driver.tell(reserve={"name": f"call-{number}", "limits": limits, "need": asked})
        taken = [ended["name"] for ended in driver.finish() if "accounts" in ended]
        for name in taken:
            driver.tell(settle={"name": name, "spent": {"tokens": 0, "nanodollars": spent}})
        driver.finish()
        return len(taken)

    account = ("team#red", "event")
    call_at_once()
    driver.table.items[account]["used_nanodollars"] = int((share - 0.01) * most)
    used = 0
    while call_at_once() == at_once:
        used = driver.table.items[account]["used_nanodollars"]
    assert math.floor(100 * used / most) / 100 == share
