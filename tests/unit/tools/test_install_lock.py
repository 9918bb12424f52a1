"""How the environments get their packages: by uv with pip's settings, or else by pip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tools.install_lock import PIP, UV, UV_LOCK, build_uv_environment, install

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SETTINGS = """\
:env:.default-timeout='180'
global.cert='/etc/ca.crt'
global.extra-index-url='https://more.example/simple'
site.index-url='https://mirror.example/simple?a=b'
install.trusted-host='mirror.example'
"""


def test_uv_is_told_what_pip_is_set_up_with() -> None:
    assert build_uv_environment(SETTINGS, {"HOME": "/home/me"}) == {
        "UV_SYSTEM_CERTS": "true",
        "UV_HTTP_TIMEOUT": "180",
        "SSL_CERT_FILE": "/etc/ca.crt",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple?a=b",
        "UV_INSECURE_HOST": "mirror.example",
        "HOME": "/home/me",
    }


def test_what_is_set_for_uv_itself_counts() -> None:
    environment = {"UV_DEFAULT_INDEX": "https://own.example", "UV_SYSTEM_CERTS": "false"}
    assert build_uv_environment("global.index-url='https://mirror.example'", environment) == environment


class Commands:
    """Notes which programs run; those in `broken` fail."""

    def __init__(self, *broken: str) -> None:
        self.broken = broken
        self.ran: list[str] = []
        self.into: list[str] = []

    def run(self, argv: Sequence[str], environment: Mapping[str, str]) -> int:
        del environment
        program = "uv" if argv[0] == str(UV) else "pip"
        assert program == "uv" or tuple(argv[: len(PIP)]) == PIP
        assert argv[-2:] == ["-r", "a.txt"]
        self.ran.append(program)
        self.into.append(argv[argv.index("--python") + 1])
        return int(program in self.broken)


@pytest.mark.parametrize(
    ("broken", "ran", "done"),
    [((), ["uv"], True), (("uv",), ["uv", "pip"], True), (("uv", "pip"), ["uv", "pip"], False)],
)
def test_pip_installs_what_uv_cannot(broken: tuple[str, ...], ran: list[str], done: bool) -> None:  # noqa: FBT001  # a row of the table
    commands = Commands(*broken)
    assert install(["-r", "a.txt"], Path("/there"), commands.run, "") is done
    assert commands.ran == ran
    assert set(commands.into) == {"/there"}


def test_where_there_is_no_uv_it_is_said_that_it_is_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uv, said_before = tmp_path / "uv", []

    def run(argv: Sequence[str], _: Mapping[str, str]) -> int:
        if argv[0] != str(uv):
            assert argv[-1] == str(UV_LOCK)
            said_before.append(capsys.readouterr().out)
            uv.touch()
        return 0

    for _ in range(2):
        assert install(["-r", "a.txt"], tmp_path, run, "", uv)
    assert said_before == ["==> Fetching uv (18 MB), which installs the rest in seconds\n"]
    assert capsys.readouterr().out == "", "nothing is fetched twice"
