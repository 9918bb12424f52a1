"""What a hostile or mistaken file may cost: reading ends early, and does not wait for a pipe."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.collect import MOST_PROBLEMS
from centralized_ml_api.config.document import load_document
from centralized_ml_api.config.document.rules import LARGEST_BYTES, MOST_VALUES
from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.render import count_problems
from centralized_ml_api.errors import ConfigError
from support.local_api import mlapi

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from centralized_ml_api.errors import Problem


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_a_file_of_too_many_values_is_one_problem(suffix: str, problems_of: Callable[..., Any]) -> None:
    (found,) = problems_of('{"models": [' + "1, " * MOST_VALUES + "1]}", suffix)
    assert (found.id, found.expected) == ("C009", "at most 100,000 values")


@pytest.mark.parametrize(
    "text",
    [
        '{"models": [' + "1," * 2000 + "1]}",
        '{"models": [], ' + '"a": 1, ' * 2000 + '"b": 1}',
        '{"models": [{' + ", ".join(f'"k{number}": null' for number in range(2000)) + "}]}",
    ],
    ids=["items", "duplicates", "keys"],
)
def test_of_thousands_of_errors_the_first_thousand_are_kept(
    text: str, problems_of: Callable[..., Any]
) -> None:
    found = problems_of(text)
    assert len(found) == MOST_PROBLEMS
    assert count_problems(found) == "1000 or more problems"


def test_a_thousand_models_fit_as_the_page_of_the_rule_says(good: dict[str, Any], tmp_path: Path) -> None:
    model = good["models"][0]
    model["local"] = {"engine": "llama.cpp", "weights": "hf://owner/repo/model.gguf", "replicas": 2}
    path = tmp_path / "thousand.json"
    path.write_text(json.dumps({"models": [model] * 1000}, indent=2))
    document = load_document(path)
    assert len(document.text) < LARGEST_BYTES
    assert len(document.values) < MOST_VALUES


def refused(path: Path, now: datetime) -> Problem:
    with pytest.raises(ConfigError) as raised:
        load_config(path, now=now)
    (found,) = raised.value.problems
    return found


@pytest.mark.parametrize("name", ["pipe.json", "link.json"])
def test_a_pipe_is_refused_and_not_waited_for(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "link.json").symlink_to("pipe.json")
    ran = mlapi("check", name, cwd=tmp_path)
    assert ran.status == 2
    assert "found:    a pipe, a socket or a device" in ran.talk


def test_a_device_is_refused(now: datetime) -> None:
    assert refused(Path("/dev/zero"), now).found == "a pipe, a socket or a device"


def test_a_pipe_that_the_shell_names_is_read(now: datetime) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as end:
        writer = threading.Thread(target=end.write, args=['{"models": []}'])
        writer.start()
        writer.join()
    try:
        assert load_config(Path(f"/dev/fd/{reading}"), now=now).config.models == []
    finally:
        os.close(reading)
