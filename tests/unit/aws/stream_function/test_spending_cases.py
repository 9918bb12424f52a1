"""What is decided about tokens and dollars, on the same cases as on one machine."""

from __future__ import annotations

from support.spending_cases import CASES
from support.stream_host.script import run_script

CALLS = """
import { judgeCall, openAccounts } from "./accounts.mjs";
import { headersOf } from "./errors.mjs";
import { describeLimits, refuseShortage, renderLeft } from "./refusals.mjs";
console.log(JSON.stringify(input.map(({ limits: written, need: numbers, now, used, pending }) => {
    const [tokens, nanodollars] = numbers;
    const limits = written.map(([owner, unit, period, most]) => ({ owner, unit, period, most }));
    const need = { tokens, nanodollars };
    const find = (amounts, limit) => amounts[limits.indexOf(limit)];
    const stateOf = (limit) => ({ used: find(used, limit), pending: find(pending, limit) });
    const shortage = judgeCall(limits, need, now, stateOf);
    const left = limits.map((limit, index) => [limit, Math.max(0, limit.most - used[index])]);
    const error = shortage && refuseShortage(shortage);
    return {
        refusal: error && { ...error, message: error.message, headers: headersOf(error) },
        accounts: openAccounts(limits, now),
        headers: renderLeft(left, now),
        described: describeLimits(left, now),
    };
})));
"""
NEEDS = """
import { mayWriteCache, measureBytes, measureNeed } from "./needs.mjs";
const measure = ({ path, bytes, document: written, cap, ...more }) => {
    const { answer_tokens: answerTokens, limit_key: limitKey } = more;
    const document = Object.fromEntries(Object.entries(written).filter(([, value]) => value !== null));
    const terms = { path, answerTokens, cap: cap ?? undefined, limitKey };
    try {
        return measureNeed(bytes, document, (name) => name in written, terms);
    } catch ({ code, message }) {
        return { code, message };
    }
};
console.log(JSON.stringify({
    needs: input.needs.map(measure),
    caches: input.caches.map(({ body }) => mayWriteCache(Buffer.from(body))),
    bytes: input.bytes.map(({ bytes, answer_tokens: answerTokens }) => measureBytes(bytes, { answerTokens })),
}));
"""
ENDINGS = """
import { judgeEnding } from "./endings.mjs";
console.log(JSON.stringify(input.map((given) => {
    const [tokens, nanodollars] = given.need;
    const kept = {
        need: { tokens, nanodollars },
        price: given.price,
        bytesIn: given.bytes_in,
        hasTokens: given.has_tokens,
    };
    const { cache_writes: cacheWrites, ...reported } = given.tokens;
    const used = judgeEnding(kept, {
        isSent: given.is_sent,
        isLost: given.is_lost,
        status: given.status,
        isSure: given.is_sure,
        bytesOut: given.bytes_out,
        tokens: { ...reported, cacheWrites },
    });
    return used && [used.tokens, used.nanodollars];
})));
"""


def test_calls() -> None:
    for case, found in zip(CASES["calls"], run_script(CALLS, CASES["calls"]), strict=True):
        about = case["about"]
        headers = {name.split("-")[2]: value for name, value in found["headers"].items()}
        assert (headers, found["described"]) == (case["headers"], case["described"]), about
        refusal, expected = found.get("refusal"), case.get("refusal")
        assert (refusal is None) is (expected is None), about
        if refusal is not None and expected is not None:
            wait, stops = expected["retry_after"], expected["stops"]
            assert [refusal[key] for key in ("status", "code", "message")] == [
                expected[key] for key in ("status", "code", "message")
            ], about
            assert refusal["headers"] == {
                "content-type": "application/json",
                **({} if wait is None else {"retry-after": str(wait)}),
                **({"x-should-retry": "false"} if stops else {}),
            }, about


def test_an_item_is_what_one_owner_has_used_in_one_period() -> None:
    (case,) = (case for case in CASES["calls"] if case["about"] == "all limits have room")
    (found,) = run_script(CALLS, [case])
    minute, midnight, days = int(case["now"] // 60 * 60), int(case["now"] // 86400 * 86400), 86400
    assert found["accounts"] == [
        {
            "key": {"holder": "team#red", "span": f"minute#{minute}"},
            "expires": minute + 60 + 2 * days,
            "most": {"tokens": 100},
        },
        {
            "key": {"holder": "team#red", "span": f"day#{midnight}"},
            "expires": midnight + 3 * days,
            "most": {"tokens": 5000, "nanodollars": 2_000_000_000},
        },
        {"key": {"holder": "team#red", "span": "event"}, "most": {"nanodollars": 5_000_000_000}},
        {"key": {"holder": "pot", "span": "event"}, "most": {"nanodollars": 25_123_456_789, "tokens": 6000}},
    ]
    starts = {(owner, period): start for owner, _, period, start, _ in case["charges"]}
    assert (starts["red", "minute"], starts["red", "day"]) == (minute, midnight)


def test_needs() -> None:
    found = run_script(NEEDS, CASES)
    for case, need in zip(CASES["needs"], found["needs"], strict=True):
        refused = {"code": "invalid_body", "message": case.get("refused")}
        assert need == case.get("need", refused), case["about"]
    assert found["caches"] == [case["writes"] for case in CASES["caches"]]
    assert found["bytes"] == [{key: case[key] for key in ("read", "written")} for case in CASES["bytes"]]


def test_endings() -> None:
    for case, used in zip(CASES["endings"], run_script(ENDINGS, CASES["endings"]), strict=True):
        assert used == case["used"], case["about"]
