"""`mlapi logs` prints the end of a log, however it lies in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.cli.verbs.logs import BLOCK_BYTES, TAIL_LINES, find_logs
from centralized_ml_api.errors import UsageError
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


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    (folder / "models").mkdir(parents=True)
    for name in (
        "models/chat",
        "models/chat.2",
        "models/chat.function",
        "models/chatty",
        "access",
        "gateway",
    ):
        (folder / f"{name}.log").touch()
    return folder


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("chat", ["chat.2", "chat.function", "chat"]),
        ("chat.function", ["chat.function"]),
        ("gateway", ["gateway"]),
        (None, ["chat.2", "chat.function", "chat", "chatty", "access", "gateway"]),
    ],
)
def test_a_name_has_the_logs_of_its_replicas_and_its_function(
    name: str | None, found: list[str], logs: Path
) -> None:
    assert sorted(path.stem for path in find_logs(logs, name)) == sorted(found)


def test_another_name_is_told_which_logs_there_are(logs: Path) -> None:
    with pytest.raises(UsageError, match="no log of nope in") as refused:
        find_logs(logs, "nope")
    assert refused.value.fix == "logs that exist: chat.2, chat.function, chat, chatty, access, gateway"


def test_several_logs_have_their_names_above_them_and_following_is_next(tmp_path: Path) -> None:
    folder = tmp_path / ".mlapi/logs/models"
    folder.mkdir(parents=True)
    (folder / "a.log").write_text("one\n")
    (folder / "b.log").write_text("two\n")
    ran = mlapi("logs", cwd=tmp_path)
    assert ran.out == "one\ntwo\n"
    assert ran.talk == "==> a\n==> b\nNext: mlapi logs --follow\n"
