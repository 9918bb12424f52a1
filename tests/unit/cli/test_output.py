"""What is printed steers no terminal, and a disk that is full is one line."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from centralized_ml_api.cli.output import confirm, counted, render_for_terminal
from centralized_ml_api.errors import UsageError
from support.local_api import MLAPI
from support.odd_server import OddServer
from support.verbs import mlapi

FULL = Path("/dev/full")
ONLY_WITH_FULL = pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
TITLE = "\x1b]0;mine\x07"
CLIPBOARD = "\x1b]52;c;cm0gLXJm\x1b\\"
CLEARS = "\x1b[2J"
WICKED = f"before {TITLE}{CLIPBOARD}{CLEARS} \x9b2J after"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (TITLE, "�]0;mine�"),
        (CLIPBOARD, "�]52;c;cm0gLXJm�\\"),
        (CLEARS, "�[2J"),
        ("\x9b2J", "�2J"),
        ("a\u202eb\u2066c", "a�b�c"),
        ("100%\b\b", "100%��"),
        ("rm -rf\rls", "rm -rf\nls"),
        ("line\r\nline\n\tline", "line\r\nline\n\tline"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
        ("漢字 é \u200d 👩\u200d🔬", "漢字 é \u200d 👩\u200d🔬"),
    ],
)
def test_only_text_and_its_colours_reach_a_terminal(said: str, shown: str) -> None:
    assert render_for_terminal(said) == shown


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """What stands on a terminal after the command."""
    ours, its = os.openpty()
    with subprocess.Popen(
        [*MLAPI, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=its, stderr=its
    ) as process:
        os.close(its)
        said = b"".join(_pieces(ours))
        process.wait(60)
    os.close(ours)
    return said.decode()


def _pieces(terminal: int) -> list[bytes]:
    pieces = []
    try:
        while piece := os.read(terminal, 65536):
            pieces.append(piece)
    except OSError:  # Linux's way to say that nobody has the other end any more
        pass
    return pieces


def assert_harmless(screen: str) -> None:
    assert "before" in screen
    assert "after" in screen
    assert not {"\x07", "\x08", "\x9b"} & set(screen)
    assert not [sequence for sequence in ("\x1b]", "\x1b[2J", "\x1b\\") if sequence in screen]


def test_a_log_steers_no_terminal_and_a_pipe_gets_its_bytes(tmp_path: Path) -> None:
    logs = tmp_path / ".mlapi" / "logs"
    logs.mkdir(parents=True)
    (logs / "up.log").write_text(WICKED)
    assert_harmless(on_a_terminal(tmp_path, "logs", "up"))
    assert mlapi("logs", "up", cwd=tmp_path).out == WICKED


@pytest.mark.parametrize("flags", [[], ["--stream"]])
def test_an_answer_steers_no_terminal(flags: list[str], tmp_path: Path) -> None:
    with OddServer() as server:
        address = f"http://127.0.0.1:{server.port}"
        assert_harmless(on_a_terminal(tmp_path, "call", "same", WICKED, "--url", address, *flags))


@ONLY_WITH_FULL
@pytest.mark.parametrize("arguments", [["explain"], ["explain", "C102"], ["schema"], ["--help"]])
def test_a_full_disk_is_one_line_and_status_1(arguments: list[str], tmp_path: Path) -> None:
    with FULL.open("w") as full:
        ran = subprocess.run(
            [*MLAPI, *arguments], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60
        )
    assert (ran.returncode, ran.stderr) == (1, b"error: cannot write: No space left on device\n")


@ONLY_WITH_FULL
def test_when_nobody_can_be_told_either_the_status_still_says_it(tmp_path: Path) -> None:
    with FULL.open("w") as full:
        ran = subprocess.run(
            [*MLAPI, "explain"], cwd=tmp_path, stdout=full, stderr=full, check=False, timeout=60
        )
    assert ran.returncode == 1


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 models"), (1, "1 model"), (2, "2 models"), (1234, "1,234 models")]
)
def test_a_number_agrees_with_its_noun(count: int, text: str) -> None:
    assert counted(count, "model") == text


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    assert [counted(count, "process", "processes") for count in (1, 2)] == ["1 process", "2 processes"]


def test_what_costs_or_goes_is_confirmed_by_a_flag_or_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    confirm("Deploy?", yes=True)
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        with pytest.raises(UsageError, match="this needs your confirmation") as refused:
            confirm("Deploy?", yes=False)
    assert refused.value.fix == "add --yes to confirm"
