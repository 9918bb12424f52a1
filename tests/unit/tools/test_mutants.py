"""The faults that `make mutate` plants: each is Python and changes a decision; none touches mere words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tools import mutants

if TYPE_CHECKING:
    from pathlib import Path

CODE = '''\
"""A module."""

def price(hours: int, *, known: bool = True) -> int | None:
    """Returns a price."""
    if hours < 3 and known:
        log(hours, level=2)
        return hours * 5
    raise ValueError(f"{hours} hours")
'''
FAULTS = {
    "known: bool = False",
    "if hours <= 3 and",
    "if hours < 4 and",
    "if ((hours < 3) or (known)):",
    "        pass\n        return",
    "log(hours)",
    "level=3",
    "return None",
    "return (hours) / (5)",
    "return hours * 6",
    "    pass\n",
}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mutants, "SOURCE", tmp_path)
    file = tmp_path / "prices.py"
    file.write_text(CODE)
    return file


def test_every_decision_gets_its_fault_and_words_get_none(module: Path) -> None:
    changed = [mutant.source().decode() for mutant in mutants.Mutator(module).mutants]
    assert len(changed) == len(FAULTS)
    assert all(any(fault in text for text in changed) for fault in FAULTS)
    for text in changed:
        compile(text, "prices.py", "exec")
        assert text != CODE
        assert '"""Returns a price."""' in text


def test_a_survivor_is_described_by_its_line_and_its_change(module: Path) -> None:
    described = [mutant.describe() for mutant in mutants.Mutator(module).mutants]
    assert "prices.py:5: if hours < 3 and known:  [< -> <=]" in described
    assert "prices.py:6: log(hours, level=2)  [without level=]" in described
