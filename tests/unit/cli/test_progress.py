"""The call that `mlapi up` ends with works as it is printed."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from centralized_ml_api.cli.progress import NO_SAMPLE, Announcement, curl_of
from centralized_ml_api.config.load import load_config
from centralized_ml_api.local.status import EntryState, EntryStatus, LocalStatus
from centralized_ml_api.plan.build import build_plan

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

URL = "http://127.0.0.1:8080"


def curl(folder: Path, **entry: Any) -> list[str]:
    """The words of the command, as a shell takes them."""
    config = folder / "models.json"
    whole = {"name": "a", "integration": {"type": "api"}, **entry}
    config.write_text(json.dumps({"models": [], "endpoints": [whole]}))
    plan = build_plan(load_config(config, now=datetime(2026, 1, 1, tzinfo=UTC)))
    status = EntryStatus("a", "/a", "ready", "", "url", "api", ())
    return shlex.split(curl_of(status, URL, plan))


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


def test_without_a_sample_the_call_says_what_to_put_there(tmp_path: Path) -> None:
    assert curl(tmp_path)[-2:] == ["-d", '{"…": "your own body"}']


def test_with_teams_it_takes_the_key_from_the_environment(tmp_path: Path) -> None:
    config = {"models": [], "endpoints": [{"name": "a", "integration": {"type": "api"}}]}
    path = tmp_path / "models.json"
    path.write_text(json.dumps({**config, "event": {"teams": ["red"]}}))
    plan = build_plan(load_config(path, now=datetime(2026, 1, 1, tzinfo=UTC)))
    command = curl_of(EntryStatus("a", "/a", "ready", "", "url", "api", ()), URL, plan)
    key = '"x-api-key: $MLAPI_KEY"'
    assert command == f"curl -X POST {URL}/a -H {key} -d {shlex.quote(NO_SAMPLE)}"


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
