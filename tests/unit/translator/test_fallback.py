"""Who is asked next where an entry fails, whichever target asks; and how one machine learns what happened."""

from __future__ import annotations

from typing import Any

import pytest

from centralized_ml_api.local.admission.endings import NEVER_SENT_FLAGS, SURE_DETAILS, UNASKED_DETAILS
from centralized_ml_api.local.admission.terms import REFUSED, UNANSWERED
from centralized_ml_api.local.envoy.translator import build_fallback_mutations
from centralized_ml_api.local.gateway import Attempt, ServedRoute
from centralized_ml_api.local.run import translator_process
from centralized_ml_api.translator import CODE
from support.stream_host.script import run_script

RUN = CODE.parent.joinpath(*translator_process.__name__.split(".")[1:-1])
ASK = """
import { askInTurn } from "./fallback.mjs";
const run = async (failures) => {
    const asked = [], passed = [];
    const ask = async (name) => { asked.push(name); return failures[name] ?? null; };
    const told = await askInTurn(["a", "b", "c"], ask, ({ status }) => passed.push(status));
    return [asked.join(""), told && `${told.name}${told.status}`, passed];
};
console.log(JSON.stringify(await Promise.all(input.map(run))));
"""


def failed(status: int, *, is_free: bool = True, is_untaken: bool = False) -> dict[str, Any]:
    return {"status": status, "isFree": is_free, "isUntaken": is_untaken, "isForNow": False}


BUSY, BROKEN, AWAY = failed(429), failed(500), failed(503)
UNTAKEN = failed(400, is_untaken=True)
CASES: list[tuple[dict[str, Any], tuple[str, str | None, list[int]]]] = [
    ({}, ("a", None, [])),
    ({"a": BUSY}, ("ab", None, [429])),
    ({"a": BROKEN, "b": AWAY}, ("abc", None, [500, 503])),
    ({"a": BUSY, "b": BROKEN, "c": AWAY}, ("abc", "c503", [429, 500])),
    ({"a": failed(422)}, ("a", "a422", [])),
    ({"a": failed(499)}, ("a", "a499", [])),
    ({"a": failed(502, is_free=False)}, ("a", "a502", [])),
    ({"a": failed(429, is_free=False)}, ("a", "a429", [])),
    ({"a": BUSY, "b": failed(502, is_free=False)}, ("ab", "b502", [429])),
    ({"a": UNTAKEN}, ("a", "a400", [])),
    ({"a": BUSY, "b": UNTAKEN}, ("abc", None, [429, 400])),
    ({"a": BUSY, "b": UNTAKEN, "c": UNTAKEN}, ("abc", "a429", [429, 400])),
    ({"a": BUSY, "b": UNTAKEN, "c": failed(404)}, ("abc", "c404", [429, 400])),
]


def test_the_next_one_is_asked_only_where_nobody_has_worked() -> None:
    found = run_script(ASK, [failures for failures, _ in CASES], CODE)
    for (failures, (asked, told, passed)), outcome in zip(CASES, found, strict=True):
        assert outcome == [asked, told, passed], failures


WAIT = """
import { askInTurn } from "./fallback.mjs";
const run = async (failures) => {
    const told = await askInTurn([...failures.keys()], async (index) => failures[index]);
    return told.isForNow;
};
console.log(JSON.stringify(await Promise.all(input.map(run))));
"""
FOR_NOW = {**AWAY, "isForNow": True}
WAITING = [
    ([FOR_NOW], True),
    ([AWAY], False),
    ([UNTAKEN], False),
    ([FOR_NOW, FOR_NOW], True),
    ([BUSY, FOR_NOW], False),
    ([FOR_NOW, BUSY], False),
    ([FOR_NOW, UNTAKEN], True),
    ([FOR_NOW, UNTAKEN, FOR_NOW], True),
    ([FOR_NOW, UNTAKEN, BUSY], False),
]


def test_a_later_call_may_be_taken_only_where_no_entry_has_got_this_one() -> None:
    found = run_script(WAIT, [failures for failures, _ in WAITING], CODE)
    for (failures, expected), is_for_now in zip(WAITING, found, strict=True):
        assert is_for_now is expected, failures


READ = """
import { buildProxyLine, readEnding, readTold } from "./fallback_call.mjs";
const endings = input.endings.map((text) => readEnding(text, input.told));
console.log(JSON.stringify([endings, input.callers.map(buildProxyLine), readTold(input.headers)]));
"""


def ended(*, is_free: bool, is_refused: bool = False, is_unasked: bool = False) -> dict[str, bool]:
    return {"isFree": is_free, "isRefused": is_refused, "isUnasked": is_unasked}


FREE, PAID = ended(is_free=True), ended(is_free=False)
ENDINGS = {
    "- - - via_upstream": FREE,
    "- true - via_upstream": PAID,
    "- - - failed_to_inject_credential": ended(is_free=True, is_unasked=True),
    f"- - {REFUSED}:overloaded lua_response": ended(is_free=True, is_refused=True, is_unasked=True),
    f"- - {UNANSWERED} lua_response": ended(is_free=False, is_unasked=True),
    "- - - direct_response": ended(is_free=False, is_unasked=True),
    "UF,URX - - upstream_reset_before_response_started{connection_failure}": ended(
        is_free=True, is_unasked=True
    ),
    "UH - - no_healthy_upstream": ended(is_free=True, is_unasked=True),
    "UC - - upstream_reset_before_response_started{connection_termination}": PAID,
    "UF,UC - - upstream_reset_before_response_started": PAID,
    "UT - - response_timeout": PAID,
    "SI - - stream_idle_timeout": PAID,
}


TEAMS = tuple(f"A team with quite a long name number {number}" for number in range(500))
ROUTE = ServedRoute(
    "first",
    "first",
    None,
    None,
    attempts=(Attempt("first", "/first/v1/100%"), Attempt("second", "/second/v1", refused_to=TEAMS)),
)


@pytest.fixture(scope="module")
def read() -> Any:
    told = {
        "unsent": [*NEVER_SENT_FLAGS],
        "sure": sorted(SURE_DETAILS),
        "refused": REFUSED,
        "unanswered": UNANSWERED,
        "unasked": sorted(UNASKED_DETAILS),
    }
    callers = ["192.0.2.7:4711", "[2001:db8::7]:80"]
    headers = {
        mutation["append"]["header"]["key"]: mutation["append"]["header"]["value"].replace("%%", "%")
        for mutation in build_fallback_mutations(ROUTE)
    }
    return run_script(
        READ, {"endings": [*ENDINGS], "told": told, "callers": callers, "headers": headers}, RUN
    )


def test_an_ending_tells_whether_a_server_may_have_worked(read: Any) -> None:
    assert dict(zip(ENDINGS, read[0], strict=True)) == ENDINGS


def test_hundreds_of_teams_that_an_entry_refuses_are_told_in_headers_that_envoy_takes(read: Any) -> None:
    values = [mutation["append"]["header"]["value"] for mutation in build_fallback_mutations(ROUTE)]
    assert max(len(value) for value in values) < 16_384
    assert not any(value.startswith(" ") or value.endswith(" ") for value in values)
    told = read[2]
    assert (told["unanswered"], told["unasked"]) == (UNANSWERED, sorted(UNASKED_DETAILS))
    assert told["attempts"] == [
        {"name": "first", "path": "/first/v1/100%", "refused": []},
        {"name": "second", "path": "/second/v1", "refused": [*TEAMS]},
    ]


def test_a_connection_begins_with_the_callers_address(read: Any) -> None:
    assert read[1] == [
        "PROXY TCP4 192.0.2.7 127.0.0.1 4711 1\r\n",
        "PROXY TCP6 2001:db8::7 ::1 80 1\r\n",
    ]
