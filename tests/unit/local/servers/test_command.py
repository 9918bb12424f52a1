from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.local.servers.command import CommandServer, why_not_here
from centralized_ml_api.plan.engines import CommandServing

if TYPE_CHECKING:
    from centralized_ml_api.local.launch import Server


def serving(*run: str) -> CommandServing:
    return CommandServing(run, ping="/health", invocations="/v1/chat/completions")


def test_the_port_stands_in_every_argument_and_in_the_environment(tmp_path: Path) -> None:
    program = "import os, sys; print(sys.argv[1:], os.environ['PORT'], os.environ['CUDA_VISIBLE_DEVICES'])"
    command = serving(sys.executable, "-c", program, "--port", "{port}", "--url=http://x:{port}/{port}")
    server: Server = CommandServer(command, {"CUDA_VISIBLE_DEVICES": "1"}, tmp_path)
    launch = server.launch(9000)
    printed = subprocess.run(
        launch.argv, env=dict(launch.environment), cwd=launch.cwd, capture_output=True, text=True, check=True
    ).stdout
    assert printed == "['--port', '9000', '--url=http://x:9000/9000'] 9000 1\n"


def test_it_is_asked_at_the_configured_path_whether_it_is_ready(tmp_path: Path) -> None:
    assert CommandServer(serving("serve"), {}, tmp_path).ping_path == "/health"


def test_its_environment_is_not_shown(tmp_path: Path) -> None:
    assert "secret" not in repr(CommandServer(serving("serve"), {"KEY": "secret"}, tmp_path))


def test_a_program_on_the_path_can_be_started(tmp_path: Path) -> None:
    program = tmp_path / "serve"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert why_not_here(serving("serve"), {"PATH": str(tmp_path)}, Path("/")) is None
    assert why_not_here(serving("./serve"), {}, tmp_path) is None
    assert why_not_here(serving(str(program)), {}, Path("/")) is None


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    assert "vllm is not installed" in (why_not_here(serving("vllm"), {"PATH": str(tmp_path)}, tmp_path) or "")
    (tmp_path / "serve").touch(mode=0o644)
    assert f"{tmp_path}/serve does not exist or is not executable" in (
        why_not_here(serving("./serve"), {}, tmp_path) or ""
    )
