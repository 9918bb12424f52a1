"""`mlapi logs` prints the end of a log, however it lies in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.cli.verbs.logs import BLOCK_BYTES, TAIL_LINES
from support.verbs import mlapi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.local_api import Ran

    Mlapi = Callable[..., Ran]


LONG = "x" * (BLOCK_BYTES // 20)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one line, not ended",
        "\n".join(str(number) for number in range(TAIL_LINES + 1)),
        "\n".join(f"{number} {LONG}" for number in range(200)) + "\n",
        "\n" * 200,
        LONG * 100 + "\nend\n",
    ],
    ids=["empty", "unended", "one-more", "blocks", "blank", "long-line"],
)
def test_the_end_of_a_log_is_its_last_lines_however_they_lie_in_blocks(text: str, tmp_path: Path) -> None:
    logs = tmp_path / ".mlapi" / "logs"
    logs.mkdir(parents=True)
    (logs / "up.log").write_text(text)
    assert mlapi("logs", "up", cwd=tmp_path).out == "".join(text.splitlines(keepends=True)[-TAIL_LINES:])
