"""What a call that fails gives back of its reservation, without a model and without a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.plan.aws.spending import EntrySpending, SpendingPlan
from support.stream_host.host import write_function
from support.stream_host.script import run_script

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.event import SpendingLimit

LIMITS: dict[str, tuple[SpendingLimit, ...]] = {
    "": (("tokens", "event", 10**6),),
    "red": (("tokens", "event", 10**5),),
}
NAMED_AS_A_MEMBER = "constructor"
"""A team that has no limits of its own, and whose name JavaScript's objects have as a member."""

SCRIPT = """
import http from "node:http";
import { readJsonObject } from "./json_body.mjs";
import { findLimits, measureExpense, spend } from "./expense.mjs";
const FULL = {
    __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    Item: { used_tokens: { N: "1000000" } },
};
let kept = 0;
const table = http.createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += piece;
    const { ExpressionAttributeValues: values, Key: key, RequestItems: asked } = JSON.parse(text);
    const [[name, wanted] = []] = Object.entries(asked ?? {});
    const isOfGrants = wanted?.Keys.every(({ span }) => span.S === "granted");
    if (isOfGrants) return response.end(JSON.stringify({ Responses: { [name]: [] } }));
    if (input.isPotFull && key?.holder.S === "pot") return response.writeHead(400).end(JSON.stringify(FULL));
    if (input.isPotFull && !values?.[":until"]) return response.writeHead(500).end();
    if (key.holder.S === "pot") kept += Number(values[":used_tokens"].N);
    const item = { ...key, used_tokens: values[":used_tokens"] ?? { N: "0" } };
    response.end(JSON.stringify({ Attributes: item }));
});
await new Promise((resolve) => table.listen(0, "127.0.0.1", resolve));
Object.assign(process.env, {
    AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${table.address().port}`,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "none",
    AWS_SECRET_ACCESS_KEY: "none",
    SPENDING_TABLE: "spending",
});
const path = "/v1/chat/completions";
const text = Buffer.from(JSON.stringify({ messages: [{ role: "user", content: "Hi" }], max_tokens: 9 }));
const shares = [];
const lines = [];
console.error = (line) => lines.push(JSON.parse(line));
let refusal = null;
for (const { noted, usage, thrown } of input.failures) {
    kept = 0;
    const answer = { bytes: 0, requestId: "r" };
    const request = { team: input.team, body: text };
    const body = readJsonObject(text);
    const expense = measureExpense({ path, name: "chat", entry: {}, request, body, answer });
    let reserved;
    await spend(expense, async () => {
        await expense.reserve();
        reserved = kept;
        if (noted) expense.noteStatus(noted);
        if (usage) return expense.noteUsage(usage);
        throw Object.assign(new Error("no answer"), thrown);
    }).catch(({ code }) => (refusal = code ?? null));
    shares.push(reserved > 0 ? kept / reserved : null);
}
table.close();
const owners = findLimits(input.team).map(({ owner }) => owner);
console.log(JSON.stringify({ shares, lines, refusal, owners }));
"""


@pytest.fixture(scope="module")
def folder() -> Path:
    return write_function(SpendingPlan(LIMITS, {"chat": EntrySpending(None, 4096)}))


def fail(folder: Path, team: str, *failures: dict[str, Any], is_pot_full: bool = False) -> Any:
    return run_script(SCRIPT, {"team": team, "failures": failures, "isPotFull": is_pot_full}, folder)


def test_a_call_whose_model_certainly_did_not_work_gives_everything_back(folder: Path) -> None:
    refused = [{"thrown": {"$metadata": {"httpStatusCode": status}}} for status in (400, 403, 404, 429, 503)]
    found = fail(
        folder,
        "red",
        *refused,
        {"thrown": {"code": "ECONNREFUSED"}},
        {"noted": 200, "thrown": {"status": 429, "isUntouched": True}},
        {"noted": 500, "thrown": {"status": 500}},
    )
    assert found["shares"] == [0] * (len(refused) + 3)


def test_a_call_whose_model_may_have_worked_keeps_everything(folder: Path) -> None:
    found = fail(
        folder,
        "red",
        {"thrown": {"$metadata": {"httpStatusCode": 500}}},
        {"thrown": {"$metadata": {"httpStatusCode": 424}}},
        {"thrown": {"code": "ECONNRESET"}},
        {"noted": 200, "thrown": {"status": 529}},
        {"noted": 200, "usage": {"tokens_in": 1, "tokens_out": 1, "is_broken_off": True}},
    )
    assert found["shares"] == [1] * 5


def test_a_team_has_the_pots_limit_whatever_its_name(folder: Path) -> None:
    found = fail(folder, NAMED_AS_A_MEMBER, {"thrown": {"code": "ECONNREFUSED"}})
    assert (found["owners"], found["shares"]) == ([""], [0])


def test_the_log_says_what_could_not_be_given_back(folder: Path) -> None:
    found = fail(folder, "red", {"thrown": {}}, is_pot_full=True)
    (line,) = found["lines"]
    assert found["refusal"] == "tokens_exceeded"
    assert line == {
        "request_id": "r",
        "effect": "what was reserved and not used counts as spent",
        "cause": "Error",
        "why": "DynamoDB answered 500",
    }
