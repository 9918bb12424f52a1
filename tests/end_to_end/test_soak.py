"""Everything that may go wrong, at a short length; the same at full length is `make bench BENCH=soak`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from bench.faults import figures
from bench.faults.soak import SHORT, soak

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets another process's limits be set")
def test_whatever_goes_wrong_costs_only_the_calls_that_were_under_way(tmp_path: Path) -> None:
    told: list[str] = []
    soaked = soak(tmp_path, SHORT, told.append)
    met = "\n".join(told)
    in_peace = [step for step in soaked.steps if not step.kills]
    assert [(step.fault, step.tally.lost, step.tally.turned_away) for step in in_peace] == [
        (step.fault, 0, 0) for step in in_peace
    ], met
    assert soaked.total.again == [], f"a connection lost two calls in a row:\n{met}"
    assert soaked.lost_while_waking == 0, f"a call was lost that waited for a model:\n{met}"
    assert soaked.total.statuses.keys() <= {200, 502, 503}, "nobody is told anything else"
    assert (soaked.total.out_of_shape, soaked.replies.out_of_shape, soaked.dawdled.out_of_shape) == (
        0,
        0,
        0,
    ), soaked.replies.examples
    assert soaked.replies.server_errors == 0, soaked.replies.examples
    assert soaked.replies.sent == SHORT.malformed
    assert (soaked.dawdled.clients, soaked.dawdled.held) == (len(SHORT.dawdlers), 0)
    assert soaked.raced.decided == soaked.raced.rounds, soaked.raced.said
    assert soaked.refusals.examples == []
    assert soaked.sent_twice == [], "a call that a provider had was sent to another one"
    assert figures.grown(soaked.samples) == 0, soaked.samples
    assert (soaked.orphans, soaked.left) == (0, [])
