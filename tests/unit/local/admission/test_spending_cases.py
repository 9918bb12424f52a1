"""What is decided about tokens and dollars, on the same cases as on AWS."""

from __future__ import annotations

from typing import Any

import pytest

from centralized_ml_api.local.admission.accounts import Limit, Need, Shortage, judge_call, open_account
from centralized_ml_api.local.admission.endings import Ending, Reservation, judge_ending
from centralized_ml_api.local.admission.json_body import BodyError
from centralized_ml_api.local.admission.needs import may_write_cache, measure_bytes, measure_need
from centralized_ml_api.local.admission.refusals import refuse_shortage, render_left
from centralized_ml_api.local.admission.team_usage import describe_limit
from centralized_ml_api.local.admission.terms import EntryTerms
from support.spending_cases import CASES

CALLER_LEFT, NOT_CONNECTED = "DC", "UF"


def about(case: dict[str, Any]) -> str:
    return str(case["about"])


@pytest.mark.parametrize("case", CASES["calls"], ids=about)
def test_calls(case: dict[str, Any]) -> None:
    limits = tuple(Limit(*limit) for limit in case["limits"])
    accounts = [open_account(limit, case["now"]) for limit in limits]
    judged = judge_call(
        limits,
        Need(*case["need"]),
        case["now"],
        used=dict(zip(accounts, case["used"], strict=True)),
        pending=dict(zip(accounts, case["pending"], strict=True)),
    )
    if isinstance(judged, Shortage):
        refusal = refuse_shortage(judged)
        assert case["refusal"] == {
            "status": refusal.error.status,
            "code": refusal.error.code,
            "message": refusal.error.message,
            "retry_after": refusal.retry_after_seconds,
            "stops": refusal.stops,
        }
    else:
        charged = [(charge.account, charge.amount) for charge in judged]
        assert case["charges"] == [
            [account.owner, account.unit, account.period, account.start, amount]
            for account, amount in charged
        ]
    left = {limit: max(0, limit.most - used) for limit, used in zip(limits, case["used"], strict=True)}
    assert render_left(left, case["now"]) == case["headers"]
    assert [describe_limit(limit, amount, case["now"]) for limit, amount in left.items()] == case["described"]


@pytest.mark.parametrize("case", CASES["needs"], ids=about)
def test_needs(case: dict[str, Any]) -> None:
    entry = EntryTerms(
        path=case["path"],
        max_output_tokens=case["cap"],
        limit_key=case["limit_key"],
        answer_tokens=case["answer_tokens"],
        has_tokens=True,
    )
    if "refused" in case:
        with pytest.raises(BodyError) as refused:
            measure_need(case["bytes"], case["document"], entry)
        assert str(refused.value) == case["refused"]
        return
    need = measure_need(case["bytes"], case["document"], entry)
    assert case["need"] == {"read": need.read, "written": need.written, "members": need.members}


@pytest.mark.parametrize("case", CASES["bytes"])
def test_bytes(case: dict[str, Any]) -> None:
    need = measure_bytes(case["bytes"], EntryTerms(answer_tokens=case["answer_tokens"]))
    assert (need.read, need.written) == (case["read"], case["written"])


@pytest.mark.parametrize("case", CASES["caches"])
def test_caches(case: dict[str, Any]) -> None:
    assert may_write_cache(case["body"].encode()) == case["writes"]


@pytest.mark.parametrize("case", CASES["endings"], ids=about)
def test_endings(case: dict[str, Any]) -> None:
    price = tuple(case["price"]) if case["price"] else None
    kept = Reservation((), Need(*case["need"]), price, case["bytes_in"], case["has_tokens"])
    flags = set() if case["is_sent"] else {NOT_CONNECTED}
    flags |= {CALLER_LEFT} if case["is_lost"] else set()
    ending = Ending(
        case["status"],
        frozenset(flags),
        is_sure=case["is_sure"],
        bytes_out=case["bytes_out"],
        **case["tokens"],
    )
    used = judge_ending(kept, ending)
    assert (used and [used.tokens, used.nanodollars]) == case["used"]
