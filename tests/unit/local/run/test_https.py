from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.machine.certificates import Certificate
from centralized_ml_api.local.machine.state_folder import StateFolder
from centralized_ml_api.local.run.https import describe_certificate, prepare_certificate, shown_url_of
from centralized_ml_api.local.run.options import ServeOptions, Terminal
from support.certificate import write_certificate

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
USERS = Certificate(Path("/c.pem"), Path("/k.pem"), ("*.example.org", "hack.example.org"), "AA")
OWN = Certificate(Path("/s.pem"), Path("/s.key"), ("127.0.0.1",), "AA", Path("/ca.pem"), "BB")


def prepare(folder: Path, options: ServeOptions, said: list[str], now: datetime = NOW) -> Certificate | None:
    terminal = Terminal(lambda _: None, said.append, lambda _: None)
    return prepare_certificate(options, StateFolder(folder), terminal, now)


def test_plain_http_needs_no_certificate(tmp_path: Path) -> None:
    assert prepare(tmp_path, ServeOptions(Path("c.json"), tmp_path), []) is None
    assert list(tmp_path.iterdir()) == []


def test_a_new_authority_is_said_once(tmp_path: Path) -> None:
    options, said = ServeOptions(Path("c.json"), tmp_path, https=True), list[str]()
    first, second = (prepare(tmp_path, options, said) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.authority == tmp_path / "https" / "ca.pem"
    assert first.authority_fingerprint == second.authority_fingerprint
    assert said == ["Made a certificate authority for this API, which callers must trust once."]


def test_a_users_certificate_is_served_as_it_is(tmp_path: Path) -> None:
    file = write_certificate(tmp_path / "both.pem", "hack.example.org")
    options = ServeOptions(Path("c.json"), tmp_path / "state", https=True, certificate=file, key=file)
    found = prepare(tmp_path / "state", options, [], datetime.now(UTC))
    assert found is not None
    assert (found.chain, found.key, found.authority) == (file, file, None)
    assert not (tmp_path / "state").exists()
    other = write_certificate(tmp_path / "other.pem", "hack.example.org")
    with pytest.raises(StartError, match="is not the key of"):
        prepare(tmp_path / "state", replace(options, key=other), [], datetime.now(UTC))


def test_the_address_has_the_name_of_the_certificate() -> None:
    assert shown_url_of(None, "0.0.0.0", 80) == "http://127.0.0.1:80"
    assert shown_url_of(OWN, "0.0.0.0", 80) == "https://127.0.0.1:80"
    assert shown_url_of(USERS, "0.0.0.0", 80) == "https://hack.example.org:80"


def test_the_status_tells_what_callers_must_trust() -> None:
    assert describe_certificate(None) == {}
    assert describe_certificate(OWN) == {
        "fingerprint": "AA",
        "authority": "/ca.pem",
        "authority_fingerprint": "BB",
    }
    assert describe_certificate(USERS) == {"fingerprint": "AA", "authority": "", "authority_fingerprint": ""}
