"""What the catalogue and `status` show, from a plan and the services that run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.entry_details import Known
from centralized_ml_api.api.http import CATALOGUE_PATH
from centralized_ml_api.local.run.entry_statuses import entry_statuses
from centralized_ml_api.local.sleep.types import View
from centralized_ml_api.local.status import EntryStatus, PartStatus, SleepStatus
from centralized_ml_api.local.supervision.service import Report
from support.composed import EMBEDS, LLAMA, NAPS, Machine
from support.fake_target import entry, function, plan

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.supervision.service import ServiceState


def test_the_catalogue_says_what_is_known_what_is_refused_and_who_speaks_openai() -> None:
    machine = Machine(plan(entry("chat", LLAMA), entry("none", serving=None), entry("e", EMBEDS)))
    served = machine.gateway(known=Known(licences={"chat": "https://licence"}))
    (text,) = [document.text for document in served.documents if document.path == CATALOGUE_PATH]
    chat, none, embeds = json.loads(text)["models"]
    assert (chat["licence_url"], chat["served"], chat["openai"]) == ("https://licence", True, "chat")
    assert (none["served"], none["why_not"]) == (False, machine.refused["none"])
    assert embeds["openai"] == "embeddings"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("preparing", "is being prepared"),
        ("starting", "is starting"),
        ("restarting", "is restarting"),
        ("unready", "is not ready"),
        ("failed", "could not be started"),
    ],
)
def test_what_is_not_ready_says_so_in_words_without_a_detail(state: ServiceState, words: str) -> None:
    served = Machine(plan(entry("a"), entry("b")), {"a": state}).gateway()
    assert served.unready == (("a", words),)
    assert len(served.routes) == 2


def test_the_status_of_an_entry_has_every_part_and_how_it_is(tmp_path: Path) -> None:
    wrapped = entry("a", LLAMA, function=function(tmp_path), integration="lambda")
    machine = Machine(plan(wrapped, entry("none", serving=None)))
    model = machine.services["a"].service
    report = Report("restarting", "ended with status 1", 1, 2, 3, (4711,), ("a line",), 1, "silent")
    model.report = lambda: report  # type: ignore[method-assign]
    served, none = machine.statuses()
    parts = (
        PartStatus("a.function", "ready", "", 0, 1, 0, (), ()),
        PartStatus("a", "restarting", "ended with status 1", 1, 2, 3, (4711,), ("a line",), 1, "silent"),
    )
    assert served == EntryStatus("a", "/a", "restarting", "ended with status 1", "llama.cpp", "lambda", parts)
    assert none == EntryStatus("none", "/none", "not served", machine.refused["none"], "", "api", ())


def test_an_entry_is_as_its_worst_part_is(tmp_path: Path) -> None:
    order: tuple[ServiceState, ...] = (
        *("failed", "unready", "preparing"),
        *("restarting", "starting", "ready"),
    )
    wrapped = plan(entry("a", function=function(tmp_path), integration="lambda"))
    for worse, state in enumerate(order):
        for other in order[worse:]:
            for states in ({"a": state, "a.function": other}, {"a": other, "a.function": state}):
                assert Machine(wrapped, states).statuses()[0].state == state


def test_a_function_whose_model_is_gone_is_told_by_the_parts_that_are_there(tmp_path: Path) -> None:
    machine = Machine(plan(entry("a", function=function(tmp_path), integration="lambda")))
    del machine.services["a"]
    (status,) = machine.statuses()
    assert [part.name for part in status.parts] == ["a.function"]


def looking(**views: View) -> Any:
    return {"sleeping": views.get}


ASLEEP = View(
    "asleep", failed=False, ready_in=2.4, wakes=3, asleep_seconds=60.0, wake_seconds=2.1, wanted=True
)


@pytest.mark.parametrize(
    ("view", "processes", "state"),
    [
        pytest.param(ASLEEP, "asleep", "asleep", id="asleep"),
        pytest.param(replace(ASLEEP, phase="stopping"), "ready", "asleep", id="stopping"),
        pytest.param(replace(ASLEEP, phase="closing"), "ready", "ready", id="closing"),
        pytest.param(replace(ASLEEP, phase="ready"), "ready", "ready", id="ready"),
        pytest.param(replace(ASLEEP, phase="ready"), "restarting", "restarting", id="crashed"),
        pytest.param(replace(ASLEEP, phase="waking", called=True), "starting", "waking", id="waking"),
        pytest.param(replace(ASLEEP, phase="waking", called=True), "ready", "waking", id="not-yet-told"),
        pytest.param(replace(ASLEEP, phase="waking"), "starting", "starting", id="starts-with-the-API"),
        pytest.param(replace(ASLEEP, phase="waking", called=True), "failed", "failed", id="gave-up"),
        pytest.param(replace(ASLEEP, failed=True), "failed", "failed", id="left-alone"),
    ],
)
def test_the_state_of_an_entry_that_may_sleep(view: View, processes: ServiceState, state: str) -> None:
    machine = Machine(plan(entry("a", sleep=NAPS)), {"a": processes})
    (status,) = entry_statuses(machine.plan, machine.refused, machine.services.get, {"a": view}.get)
    assert status.state == state
    assert status.sleep == SleepStatus(3, 60.0, 2.4, 2.1, "gpu", wanted=True)


def test_an_entry_that_sleeps_or_wakes_counts_as_one_that_answers() -> None:
    machine = Machine(
        plan(entry("a", sleep=NAPS), entry("b", sleep=NAPS), entry("c", sleep=NAPS), entry("d")),
        {"a": "asleep", "b": "starting", "d": "starting"},
    )
    views = {"a": ASLEEP, "b": replace(ASLEEP, phase="waking", called=True, wake_seconds=None)}
    served = machine.gateway(**looking(**views, c=replace(ASLEEP, phase="ready", ready_in=0.0)))
    assert served.unready == (("d", "is starting"),)
    assert served.asleep == (("a", "asleep"), ("b", "waking"))
    (catalogue,) = (document for document in served.documents if document.path == CATALOGUE_PATH)
    assert [model.get("sleep") for model in json.loads(catalogue.text)["models"]] == [
        {"state": "asleep", "wakes_in_seconds": 3},
        {"state": "waking", "wakes_in_seconds": None},
        {"state": "awake", "wakes_in_seconds": 3},
        None,
    ]
