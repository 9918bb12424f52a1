"""Thousands of configs, each broken in one known way: every one is refused, at a place inside the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bench.faults.configs import break_config, is_inside
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import ConfigError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from random import Random


# Four parts, so that several cores share them; one of them is enough before a commit.
@pytest.mark.parametrize(
    "_part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in (1, 2, 3, 4, 5, 6, 7))]
)
@given(random=st.randoms(use_true_random=False))
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_every_broken_config_is_refused_with_a_place_inside_the_file(
    _part: int,
    random: Random,
    good_text: str,
    project: Path,
    now: datetime,
) -> None:
    text, suffix = break_config(good_text, random)
    path = project / f"config/broken{suffix}"
    path.write_bytes(text.encode())
    with pytest.raises(ConfigError) as raised:
        load_config(path, now=now)
    assert any(problem.severity == "error" for problem in raised.value.problems)
    assert raised.value.exit_status == 2
    assert [problem for problem in raised.value.problems if not is_inside(problem, text)] == []
