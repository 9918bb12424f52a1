"""Where the processes of the gateway have their files in a state folder, and what they are told."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.gateway import Gateway, ServedRoute, Upstream
from centralized_ml_api.local.machine.certificates import Certificate
from centralized_ml_api.local.machine.state_folder import StateFolder
from centralized_ml_api.local.run.admission_process import SupervisedAdmission
from centralized_ml_api.local.run.gateway_parts import make_admission, make_envoy, make_translator
from centralized_ml_api.local.run.translator_process import SupervisedTranslator
from support.certificate import write_certificate
from support.fake_target import HandClock, soon

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.run.sidecar import Sidecar

SERVED = Gateway((Upstream("a@1", (7000,)),), (ServedRoute("a", "a@1", "/x", ()),))


def written_for_envoy(state: StateFolder, **more: Any) -> str:
    """Everything that Envoy reads, as JSON without spaces."""
    make_envoy(state, ("127.0.0.7", 8123), 17.0, **more).launch(SERVED)
    files = [path for path in state.gateway.rglob("*") if path.is_file()]
    return "\n".join(json.dumps(json.loads(path.read_text()), separators=(",", ":")) for path in files)


def test_envoy_is_told_where_it_listens_where_it_logs_and_how_long_it_waits(tmp_path: Path) -> None:
    with StateFolder(tmp_path / "state") as state:
        written = written_for_envoy(state)
    assert '"address":"127.0.0.7","port_value":8123' in written
    assert json.dumps(str(state.logs / "access.log")) in written
    assert '"timeout":"17s"' in written
    assert "tls_certificates" not in written


def test_envoy_speaks_https_with_the_certificate_that_it_gets(tmp_path: Path) -> None:
    pem = write_certificate(tmp_path / "both.pem", "hack.example.org")
    with StateFolder(tmp_path / "state") as state:
        written = written_for_envoy(state, certificate=Certificate(pem, pem, ("hack.example.org",), "AA"))
    assert "tls_certificates" in written


def test_the_admission_service_keeps_the_accounts_in_the_state_folder(tmp_path: Path) -> None:
    with StateFolder(tmp_path / "state") as state:
        admission = make_admission(state, HandClock().clock)
        assert admission.build_argv()[-1] == str(state.path / "accounts.db")
        assert admission.load_used() == {}


@pytest.mark.parametrize(
    ("make", "kind"), [(make_admission, SupervisedAdmission), (make_translator, SupervisedTranslator)]
)
def test_what_ends_starts_again_by_the_clock_that_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, kind: type[Sidecar]
) -> None:
    monkeypatch.setattr(kind, "build_argv", lambda _: (sys.executable, "-c", "raise SystemExit(1)"))

    async def main() -> None:
        time = HandClock()
        with StateFolder(tmp_path / "state") as state:
            state.gateway.mkdir(exist_ok=True)
            sidecar = make(state, time.clock)
            running = asyncio.create_task(sidecar.run())
            await sidecar.start()
            await soon(lambda: time.slept)
            running.cancel()
            await asyncio.wait({running})
            await sidecar.stop()

    asyncio.run(asyncio.wait_for(main(), 60))


@pytest.mark.parametrize(("make", "name"), [(make_admission, "admission"), (make_translator, "translator")])
def test_what_does_not_start_names_its_log(tmp_path: Path, make: Any, name: str) -> None:
    with StateFolder(tmp_path / "state") as state:
        sidecar = make(state, HandClock().clock)
        assert not sidecar.is_wanted
        with pytest.raises(StartError, match="did not start within 0 seconds") as caught:
            asyncio.run(sidecar.wait_ready(0))
    assert f"mlapi logs {name} --state {state.path}" in caught.value.fix
