"""Where the commands of a page run: a copy of the project, on ports that nobody else uses.

Pages say `mlapi up` and 8080, as their readers will. Here `mlapi` and `python` are small scripts on the PATH
that run the real ones, and every port that pages name is replaced by a free one, in commands, in files and,
the other way round, in output.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from support.doc_page import read_commands
from support.own_ports import own_ports
from support.verbs import mlapi_on_screen
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.doc_page import Block, Command

ROOT = Path(__file__).parents[2]
OURS = Path(sys.executable).with_name("mlapi")
USED_BY_VERBS = ("LICENSE", "README.md", "config", "examples", "functions", "models", "pyproject.toml")
COPIED = (*USED_BY_VERBS, "Makefile", "requirements", "src", "tools")
COMMAND_SECONDS = 60
FETCHING_SECONDS = 480
"""For commands that may fetch packages and weights first, on a machine that has none of them yet."""

STOP_SECONDS = 40

SHELL = frozenset("|&;<>()$`*?[]{}~#!\n")
"""What a shell reads as more than words."""

LEFT_RUNNING = "# leave it running"
_LOGS = "mlapi logs"
API_PORT, RUNTIME_PORT, MODEL_PORT = "8080", "8081", "9000"


class PageShell:
    """Runs the blocks of one page, in order; `close` ends whatever they started.

    With `in_this_process`, commands that are only a verb run here: that saves a start of Python for each.
    `copied` are the files and folders of the project that the page finds.
    """

    def __init__(
        self, folder: Path, copied: Iterable[str] = COPIED, *, in_this_process: bool = False
    ) -> None:
        self.folder = folder
        self._in_this_process = in_this_process
        self._ports = _free_ports()
        self._serving: list[Foreground] = []
        self._environment = _build_environment(folder, self._ports)
        folder.mkdir(exist_ok=True)
        for name in copied:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, folder / name)
        _write_tools(folder, self._ports[API_PORT])

    def run(self, block: Block) -> None:
        """Runs a block, or writes the file that it is."""
        if block.file:
            target = self.folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self._here(block.text))
        elif block.language == "console":
            for command in read_commands(block):
                self._run_command(command, block)
        elif block.language == "python":
            self._check(["python", "-c", self._here(block.text)], block)
        else:
            self._check(["bash", "-euo", "pipefail", "-c", self._here(block.text)], block)

    def close(self) -> None:
        """Ends the servers that the page left running."""
        while self._serving:
            self._serving.pop().stop()
        for run_file in self.folder.rglob("run.json"):
            down = ["mlapi", "down", "--state", str(run_file.parent)]
            subprocess.run(down, cwd=self.folder, env=self._environment, capture_output=True, check=True)

    def _run_command(self, command: Command, block: Block) -> None:
        if command.text == "^C":
            assert self._serving, f"line {block.line}: nothing runs in the foreground"
            output = self._serving.pop().interrupt()
        elif _goes_on(command.text):
            self._leave_running(command, block)
            return
        else:
            output = self._output_of(command, block)
        shown = self._there(output)
        if command.text.startswith(_LOGS) and command.expected and not matches(command.expected, shown):
            wait_until(  # Envoy writes what it logged a moment later
                lambda: matches(command.expected, self._there(self._output_of(command, block))),
                f"`{command.text}` prints what line {block.line} shows",
            )
            return
        assert not command.expected or matches(command.expected, shown), (
            f"line {block.line}: `{command.text}` printed\n{shown}\ninstead of\n{command.expected}"
        )

    def _output_of(self, command: Command, block: Block) -> str:
        if self._in_this_process and (words := split_verb(command.text)):
            return self._run_verb([self._here(word) for word in words], command, block)
        return self._output(["bash", "-c", self._here(command.text)], command.status, block)

    def _leave_running(self, command: Command, block: Block) -> None:
        log = self.folder / f".output-{len(self._serving)}"
        serving = Foreground(self._here(command.text), log, self._environment)
        self._serving.append(serving)
        wait_until(
            lambda: matches(command.expected, self._there(serving.output())),
            f"`{command.text}` printed what line {block.line} shows",
        )

    def _run_verb(self, words: list[str], command: Command, block: Block) -> str:
        status, output = mlapi_on_screen(*words, cwd=self.folder, environment=self._environment)
        _check_status(command.text, status, command.status, output, block)
        return output

    def _check(self, argv: list[str], block: Block) -> None:
        self._output(argv, 0, block)

    def _output(self, argv: list[str], status: int, block: Block) -> str:
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_limit_seconds(argv[-1]),
            check=False,
        )
        _check_status(argv[-1], done.returncode, status, done.stdout, block)
        return done.stdout

    def _here(self, text: str) -> str:
        for written, real in self._ports.items():
            text = re.sub(rf"\b{written}\b", real, text)
        return text

    def _there(self, text: str) -> str:
        for written, real in self._ports.items():
            text = re.sub(rf"\b{real}\b", written, text)
        # Messages name the real program, and the port that the script gave it.
        text = text.replace(str(OURS), "mlapi").replace(f" --port {API_PORT}", "")
        return text.replace(str(self.folder), "/home/you/project")


class Foreground:
    """A command that goes on until Ctrl-C."""

    def __init__(self, text: str, output: Path, environment: dict[str, str]) -> None:
        self._log = output
        with output.open("wb") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", text],
                cwd=output.parent,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def output(self) -> str:
        """What it printed so far."""
        return self._log.read_text()

    def interrupt(self) -> str:
        """Presses Ctrl-C, and gives what is printed from then on to its end."""
        before = len(self.output())
        self.stop()
        return self.output()[before:]

    def stop(self) -> None:
        """Ctrl-C reaches every process of the terminal, so here the whole group."""
        os.killpg(self._process.pid, signal.SIGINT)
        self._process.wait(STOP_SECONDS)


def matches(expected: str, output: str) -> bool:
    """Whether the output is the expected one: `…` stands for anything, a line of it for any lines."""
    pattern = ".*".join(re.escape(part) for part in _plain(expected).split("…"))
    newline = re.escape("\n")
    pattern = pattern.replace(f"{newline}.*{newline}", f"{newline}(?:.*{newline})?")
    return re.fullmatch(pattern, _plain(output), re.DOTALL) is not None


def split_verb(text: str) -> list[str]:
    """The words behind `mlapi` of a command that is no more than a verb; none of any other."""
    words = shlex.split(text) if SHELL.isdisjoint(text) else []
    return words[1:] if words[:1] == ["mlapi"] else []


def _check_status(text: str, status: int, expected: int, output: str, block: Block) -> None:
    assert status == expected, (
        f"line {block.line}: {text} ended with status {status}, not {expected}:\n{output}"
    )


def _plain(text: str) -> str:
    """Without what nobody sees: spaces at the ends of lines, empty lines at both ends."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def _goes_on(text: str) -> bool:
    """Whether the command serves until Ctrl-C."""
    serves = re.match(r"(mlapi|make) up\b", text) is not None and "--detach" not in text
    return serves or text.endswith(LEFT_RUNNING)


def _limit_seconds(text: str) -> int:
    return FETCHING_SECONDS if re.search(r"\bmlapi (up|pull)\b", text) else COMMAND_SECONDS


def _free_ports() -> dict[str, str]:
    """A free port for each that pages name; that of the runtime listener is the API's next.

    A page takes them only after many of its commands.
    """
    api = own_ports(3)
    return {API_PORT: str(api), RUNTIME_PORT: str(api + 1), MODEL_PORT: str(api + 2)}


def _build_environment(folder: Path, ports: dict[str, str]) -> dict[str, str]:
    # Of a `make test` around us, too: below it another make would say which folder it enters.
    foreign = ("MLAPI_", "AWS_", "MAKE", "MFLAGS")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {
        **inherited,
        "PATH": f"{folder / '.venv/bin'}:{os.environ['PATH']}",
        "UP": f"--port {ports[API_PORT]}",
        "NO_COLOR": "1",
        "MLAPI_JUMPSTART_MIRROR": os.environ["MLAPI_JUMPSTART_MIRROR"],  # nowhere: see tests/conftest.py
    }


def _write_tools(folder: Path, api_port: str) -> None:
    """The `.venv` of the copy: as complete as the real one in the eyes of make, and never written to."""
    tools = folder / ".venv/bin"
    tools.mkdir(parents=True)
    python = shlex.quote(sys.executable)
    for name in ("python", "python3"):
        _write_script(tools / name, f'exec {python} "$@"')
    verb = f'if [ "$1" = up ]; then shift; set -- up --port {api_port} "$@"; fi'
    _write_script(tools / "mlapi", f'{verb}\nexec {python} -m centralized_ml_api "$@"')
    for stamp in ("local.stamp", "aws.stamp", "dev.stamp"):
        (folder / ".venv" / stamp).touch()


def _write_script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
