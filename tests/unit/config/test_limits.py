"""What a hostile or mistaken file may cost: reading and telling end early, and never on a pipe."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.config.collect import MOST_PROBLEMS, collect_problems
from centralized_ml_api.config.document import load_document
from centralized_ml_api.config.document.rules import LARGEST_BYTES, MOST_VALUES
from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.render import MOST_SHOWN, count_problems, render_problems
from centralized_ml_api.config.wording import nearest
from centralized_ml_api.errors import ConfigError, Location, Problem
from support.local_api import mlapi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime


def problem(line: int, **other: str) -> Problem:
    return Problem("C102", "a title", Location("f.json", line, 1, "$.a"), **other)  # type: ignore[arg-type]


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


def test_warnings_never_crowd_out_an_error() -> None:
    warnings = [problem(line, severity="warning") for line in range(1, 3 * MOST_PROBLEMS)]
    kept = collect_problems([*warnings, problem(9999)])
    assert len(kept) == MOST_PROBLEMS + 1
    assert kept[-1].severity == "error"


def test_looking_ends_with_the_last_error_that_is_kept() -> None:
    def endless() -> Iterator[Problem]:
        line = 0
        while True:
            line += 1
            yield problem(line)

    assert len(collect_problems(endless())) == MOST_PROBLEMS


def test_a_text_shows_a_hundred_problems_errors_first_and_counts_the_rest() -> None:
    warnings = [problem(line, severity="warning") for line in range(1, 151)]
    shown = render_problems([*warnings, problem(151)], "x")
    assert len(re.findall(r"^\w+\[C102\]", shown, re.MULTILINE)) == MOST_SHOWN
    assert shown.startswith("error[C102]")
    assert shown.endswith("and 51 more, which mlapi check --json lists\n\n1 problem, 150 warnings")


def test_a_hundred_problems_are_all_shown_in_file_order() -> None:
    shown = render_problems([problem(1, severity="warning"), *map(problem, range(2, 101))], "x")
    assert "more, which" not in shown
    assert shown.startswith("warning[C102]")


def test_of_very_many_known_words_only_the_first_are_compared() -> None:
    def names() -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield f"model-{number}"

    assert nearest("model_7", names()) == "model-7"


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
