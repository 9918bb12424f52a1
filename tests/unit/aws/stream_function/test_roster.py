"""The function that streams names teams that joined, whose keys have the names of places."""

from __future__ import annotations

from typing import Any

from centralized_ml_api.aws.constructs.join_code.index import JoinTable
from centralized_ml_api.aws.event.join_item import KEY
from support.fake_documents import FakeDocuments
from support.stream_host.script import run_script

SCRIPT = """
import { Roster } from "./roster.mjs";
const asked = [];
let failures = input.failures;
async function call(operation, parameters) {
    asked.push([operation, parameters]);
    if (failures-- > 0) throw Object.assign(new Error("no"), { name: "AccessDeniedException" });
    return { Item: input.item };
}
const lines = [];
console.error = (line) => lines.push(line);
const roster = new Roster(input.table, call);
const names = [];
for (const team of input.teams) names.push(await roster.nameOf(team));
console.log(JSON.stringify({ names, asked, lines }));
"""


def name(*teams: str, table: str | None = "Table", failures: int = 0, opened: bool = True) -> Any:
    documents = FakeDocuments()
    documents.items["door", "now"] = {
        **KEY,
        "code": {"S": "c"},
        "closed": {"BOOL": False},
        "taken": {"N": "0"},
        **{attribute: {"M": {}} for attribute in ("names", "places", "receipts")},
    }
    for team in ("Night Owls", "Larks"):
        JoinTable(documents, "Table").take(team, 3)
    item = documents.items["door", "now"] if opened else None
    return run_script(SCRIPT, {"table": table, "teams": teams, "item": item, "failures": failures})


def test_a_place_is_named_by_its_team_which_is_looked_up_once() -> None:
    found = name("place:2", "place:1", "place:2")
    assert found["names"] == ["Larks", "Night Owls", "Larks"]
    ((operation, asked),) = found["asked"]
    assert (operation, asked) == (
        "GetItem",
        {
            "TableName": "Table",
            "Key": KEY,
            "ConsistentRead": True,
            "ProjectionExpression": "#names, #places",
            "ExpressionAttributeNames": {"#names": "names", "#places": "places"},
        },
    )


def test_other_teams_have_their_own_names_and_nothing_is_asked() -> None:
    assert name("red", "constructor")["asked"] == []
    assert name("place:1", table=None) == {"names": ["place:1"], "asked": [], "lines": []}


def test_a_place_without_a_team_or_a_table_that_cannot_be_read_says_its_number() -> None:
    assert name("place:3")["names"] == ["place:3"]
    failed = name("place:1", "place:1", failures=1)
    assert failed["names"] == ["place:1", "Night Owls"]
    assert failed["lines"] == ["the roster is not read: AccessDeniedException"]


def test_before_the_door_was_ever_open_a_place_says_its_number_and_nothing_is_wrong() -> None:
    found = name("place:1", opened=False)
    assert (found["names"], found["lines"]) == (["place:1"], [])
