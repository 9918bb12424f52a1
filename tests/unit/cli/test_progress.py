"""What `mlapi up` prints: each change once, who may call, and a call that works as it is printed."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.cli.progress import NO_SAMPLE, Announcement, ProgressLines, curl_of
from centralized_ml_api.commands import program
from centralized_ml_api.config.load import load_config
from centralized_ml_api.local.status import EntryState, EntryStatus, LocalStatus, PartStatus
from centralized_ml_api.plan.build import build_plan

if TYPE_CHECKING:
    from centralized_ml_api.plan.types import ApiPlan

URL = "http://127.0.0.1:8080"
PUBLIC = "PUBLIC: whoever reaches the address may call, without a key."


def curl(folder: Path, **entry: Any) -> list[str]:
    """The words of the command, as a shell takes them."""
    config = folder / "models.json"
    whole = {"name": "a", "integration": {"type": "api"}, **entry}
    config.write_text(json.dumps({"models": [], "endpoints": [whole]}))
    plan = build_plan(load_config(config, now=datetime(2026, 1, 1, tzinfo=UTC)))
    status = EntryStatus("a", "/a", "ready", "", "url", "api", ())
    return shlex.split(curl_of(status, URL, plan, Path(".mlapi")))


def test_a_json_sample_stands_in_the_command(tmp_path: Path) -> None:
    words = curl(tmp_path, sample={"text": "it's"})
    assert words == ["curl", "-X", "POST", f"{URL}/a", "-d", '{"text": "it\'s"}']


def test_a_file_is_sent_with_its_type_from_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my cat.png").write_bytes(b"cat")
    typed = ["curl", "-X", "POST", f"{URL}/a", "-H", "Content-Type: image/png", "--data-binary"]
    elsewhere = curl(tmp_path, sample={"$file": "my cat.png"})
    monkeypatch.chdir(tmp_path)
    here = curl(tmp_path, sample={"$file": "my cat.png"})
    assert elsewhere == [*typed, f"@{tmp_path}/my cat.png"]
    assert here == [*typed, "@my cat.png"]


def test_an_entry_that_has_no_process_yet_is_not_said_to_answer_501(
    capsys: pytest.CaptureFixture[str],
) -> None:
    starting = EntryStatus("a", "/a", "not served", "", "url", "api", ())
    refused = EntryStatus("b", "/b", "not served", "it needs a GPU", "url", "api", ())
    status = LocalStatus(7, "c.json", ".mlapi", 0.0, URL, "", "", (starting, refused), ())
    ProgressLines().show(status)
    assert capsys.readouterr().err == "  b: answers 501: it needs a GPU\n"


def test_without_a_sample_the_call_says_what_to_put_there(tmp_path: Path) -> None:
    assert curl(tmp_path)[-2:] == ["-d", '{"…": "your own body"}']


@pytest.mark.parametrize(
    ("event", "state", "key"),
    [
        ({"teams": ["red", "blue"]}, ".mlapi", "$({} keys --show red)"),
        (
            {"teams": [{"name": "red", "models": ["b"]}, "blue"]},
            "there",
            "$({} keys --show blue --state there)",
        ),
        ({"join": {"teams": 2}}, ".mlapi", "$MLAPI_KEY"),
    ],
    ids=["first", "one-that-may", "joined"],
)
def test_with_teams_the_call_has_a_key_without_showing_it(
    event: dict[str, Any], state: str, key: str, tmp_path: Path
) -> None:
    entries = [{"name": name, "integration": {"type": "api"}} for name in "ab"]
    path = tmp_path / "models.json"
    path.write_text(json.dumps({"models": [], "endpoints": entries, "event": event}))
    plan = build_plan(load_config(path, now=datetime(2026, 1, 1, tzinfo=UTC)))
    called = EntryStatus("a", "/a", "ready", "", "url", "api", ())
    header = f'"x-api-key: {key.format(shlex.join(program()))}"'
    assert curl_of(called, URL, plan, Path(state)) == (
        f"curl -X POST {URL}/a -H {header} -d {shlex.quote(NO_SAMPLE)}"
    )


def test_a_slow_entry_is_named_and_the_last_lines_come_when_it_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"models": [], "endpoints": [{"name": name, "integration": {"type": "api"}} for name in "ab"]}
    path = tmp_path / "models.json"
    path.write_text(json.dumps(config))
    announcement = Announcement(
        build_plan(load_config(path, now=datetime(2026, 1, 1, tzinfo=UTC))), "127.0.0.1"
    )
    said = []
    story: list[tuple[EntryState, bool]] = [
        *(("starting", False), ("starting", True), ("starting", True), ("ready", True))
    ]
    for state, overdue in story:
        entries = (
            EntryStatus("a", "/a", "ready", "", "url", "api", ()),
            EntryStatus("b", "/b", state, "", "url", "api", ()),
        )
        announcement.show(LocalStatus(1, "", ".", 0.0, URL, "", "", entries, (), overdue=overdue))
        said.append(capsys.readouterr().out.splitlines())
    call = f"Try: curl -X POST {URL}/a -d {shlex.quote(NO_SAMPLE)}"
    assert said == [[], [f"Serving on {URL}; still starting: b", call], [], [f"Serving on {URL}", call]]


def plan_of(folder: Path, **event: Any) -> ApiPlan:
    path = folder / "models.json"
    entries = [{"name": "a", "integration": {"type": "api"}}]
    path.write_text(json.dumps({"models": [], "endpoints": entries, "event": event}))
    return build_plan(load_config(path, now=datetime(2026, 1, 1, tzinfo=UTC)))


def announced(plan: ApiPlan, host: str = "127.0.0.1", **status: Any) -> None:
    entries = (EntryStatus("a", "/a", "ready", "", "url", "api", ()),)
    whole = {"address": URL, "gateway_trouble": "", "sagemaker_runtime": "http://127.0.0.1:9", "notes": ()}
    given = {"entries": entries, **whole, **status}
    whole_status = LocalStatus(1, "models.json", status.pop("folder", ".mlapi"), 0.0, **given, host=host)
    Announcement(plan, host).show(whole_status)


def test_beyond_this_machine_an_api_without_teams_is_called_public(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    announced(plan_of(tmp_path), host="0.0.0.0")
    assert capsys.readouterr().err.splitlines()[0].startswith(f"  {PUBLIC} All callers together: ")


def test_without_teams_up_says_that_no_key_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    announced(plan_of(tmp_path))
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        (
            "  No key is needed; only programs on this machine can call."
            " All callers together: 100 requests a second, in bursts of up to 200."
        ),
        "  SageMaker runtime for boto3 and the AWS CLI: http://127.0.0.1:9",
        "",
        "Ctrl-C stops everything. The next command is for another terminal.",
        "Next: mlapi status",
    ]
    assert said.out.splitlines()[0] == f"Serving on {URL}"


def test_with_teams_up_says_where_the_keys_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    announced(plan_of(tmp_path, teams=["red", "blue"]))
    assert capsys.readouterr().err.splitlines()[0] == (
        "  Every call needs the key of a team; there are 2 teams. Keys: .mlapi/keys.json."
        " A file for each team: mlapi keys export"
    )


def test_with_https_up_says_what_callers_must_trust(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trusted = {"fingerprint": "AA", "authority": "/state/https/ca.pem", "authority_fingerprint": "BB"}
    announced(plan_of(tmp_path), address="https://127.0.0.1:8080", **trusted)
    said = capsys.readouterr()
    assert "  Certificate authority for callers: /state/https/ca.pem" in said.err.splitlines()
    assert "  Its SHA-256 fingerprint: BB" in said.err.splitlines()
    assert "Try: curl -X POST https://127.0.0.1:8080/a --cacert /state/https/ca.pem -d" in said.out


def test_up_says_when_it_ends_where_metrics_are_and_what_to_know(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    announced(
        plan_of(tmp_path), ends="2030-01-01T00:00:00Z", metrics="http://127.0.0.1:7", notes=("careful",)
    )
    first, _, *others = capsys.readouterr().err.splitlines()
    assert first == "  note: careful"
    assert "  Ends automatically at 2030-01-01T00:00:00Z." in others
    assert "  Metrics for Prometheus: http://127.0.0.1:7" in others


def part(state: EntryState, detail: str = "", **facts: Any) -> PartStatus:
    given = {"ready_replicas": 1, "replicas": 1, "restarts": 0, "pids": (), "log": ()}
    return PartStatus("a", state, detail, **{**given, **facts})


def show(*parts: PartStatus) -> None:
    """Shows a model in these states, one after the other, at one instant."""
    lines = ProgressLines(lambda: 0.0)
    for seen in parts:
        entry = EntryStatus("a", "/a", "starting", "", "url", "api", (seen,))
        lines.show(LocalStatus(1, "", ".", 0.0, "", "", "", (entry,), ()))


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (part("ready"), ["  a: ready"]),
        (part("ready", replicas=3, ready_replicas=2, restarts=1), ["  a: ready (2 of 3), restarted 1 time"]),
        (part("failed", "no file", log=("boom",)), ["  a: failed to start: no file", "    | boom"]),
        (part("restarting", "it ended", log=("boom",)), ["  a: restarting: it ended", "    | boom"]),
        (part("unready", "busy", log=("boom",)), ["  a: not ready: busy"]),
        (part("preparing"), ["  a: preparing"]),
        (part("preparing", "fetching"), ["  a: fetching"]),
        (part("starting"), ["  a: starting"]),
    ],
)
def test_a_change_of_a_model_is_said_once(
    seen: PartStatus, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    show(seen, seen)
    assert capsys.readouterr().err.splitlines() == said


def test_of_a_long_log_the_end_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    show(part("failed", log=tuple(str(number) for number in range(20))))
    assert capsys.readouterr().err.splitlines()[1:] == [f"    | {number}" for number in range(12, 20)]


def test_how_far_a_preparation_is_is_said_at_most_once_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    lines = ProgressLines(lambda: now)
    for now, detail in enumerate(["1 %", "2 %", "3 %"]):  # noqa: B007  # the clock reads it
        for again in (detail, f"{detail} and a bit"):
            entry = EntryStatus("a", "/a", "preparing", "", "url", "api", (part("preparing", again),))
            lines.show(LocalStatus(1, "", ".", 0.0, "", "", "", (entry,), ()))
    said = [line.partition(": ")[2] for line in capsys.readouterr().err.splitlines()]
    assert said == ["1 %", "2 %", "3 %"]


def test_the_gateway_and_paths_without_a_model_are_said_too(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ProgressLines()
    unserved = EntryStatus("b", "/b", "not served", "it runs on AWS alone", "", "api", ())
    for address, trouble in [("", ""), (URL, ""), (URL, "restarting"), (URL, "restarting"), (URL, "")]:
        lines.show(LocalStatus(1, "", ".", 0.0, address, trouble, "", (unserved,), ()))
    assert capsys.readouterr().err.splitlines() == [
        "  b: answers 501: it runs on AWS alone",
        "  gateway: restarting",
        "  gateway: ready",
    ]
