"""`mlapi up` refuses to let others call without a key, unless that was said."""

from __future__ import annotations

import ipaddress
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.cli.loading import load_and_warn, tell_unknown_models
from centralized_ml_api.cli.verbs.up import check_reach, parse_host
from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import UsageError
from centralized_ml_api.plan.build import build_plan
from support.verbs import SHIPPED, mlapi

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.types import ApiPlan


def plan_of(folder: Path, *teams: str) -> ApiPlan:
    path = folder / "models.json"
    path.write_text(json.dumps({"models": [], "event": {"teams": teams} if teams else {}}))
    return build_plan(load_config(path, now=datetime(2026, 1, 1, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("host", "teams", "public"),
    [("127.0.0.1", (), False), ("::1", (), False), ("0.0.0.0", ("red",), False), ("0.0.0.0", (), True)],
)
def test_loopback_keys_or_a_flag_are_enough(
    host: str, teams: tuple[str, ...], *, public: bool, tmp_path: Path
) -> None:
    check_reach(ipaddress.ip_address(host), plan_of(tmp_path, *teams), public=public)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_other_machines_without_keys_are_refused(host: str, tmp_path: Path) -> None:
    plan_of(tmp_path)
    ran = mlapi("up", "models.json", "--host", host, cwd=tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert ran.talk == (
        f"error: --host {host} lets other machines call without a key\n"
        "  fix: list teams in `event.teams`, or allow it with --public\n"
    )


@pytest.mark.parametrize("given", ["--certificate", "--key"])
def test_a_certificate_and_its_key_belong_together(given: str, tmp_path: Path) -> None:
    plan_of(tmp_path)
    (tmp_path / "file.pem").touch()
    ran = mlapi("up", "models.json", given, "file.pem", cwd=tmp_path)
    assert (ran.status, ran.talk) == (
        2,
        "error: --certificate and --key belong together\n  fix: give both, or --https alone\n",
    )


def test_the_api_and_its_metrics_need_a_port_each(tmp_path: Path) -> None:
    plan_of(tmp_path)
    ran = mlapi("up", "models.json", "--port", "9000", "--metrics-port", "9000", cwd=tmp_path)
    assert (ran.status, ran.talk) == (
        2,
        "error: --port and --metrics-port are both 9000\n  fix: choose another for one of them\n",
    )


def test_a_name_is_no_address() -> None:
    with pytest.raises(UsageError, match=r"--host example\.org is not an IP address"):
        parse_host("example.org")


def test_localhost_is_loopback() -> None:
    assert parse_host("localhost") == ipaddress.ip_address("127.0.0.1")


def test_a_config_without_models_is_refused_before_anything_starts(tmp_path: Path) -> None:
    plan_of(tmp_path)
    ran = mlapi("up", "models.json", cwd=tmp_path)
    assert (ran.status, ran.talk) == (2, 'error: models.json lists no model\n  fix: add one to "models"\n')
    assert not (tmp_path / ".mlapi").exists()


def test_a_config_with_errors_leads_to_the_page_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_text('{"modles": []}')
    ran = mlapi("up", "models.json", cwd=tmp_path)
    assert (ran.status, ran.talk.splitlines()[-1]) == (2, "Next: mlapi explain C010")


def test_an_id_that_jumpstart_does_not_have_is_noted_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLAPI_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    entry = {"name": "a", "integration": {"type": "api"}, "instance": "ml.g5.2xlarge"}
    models = [{**entry, "model_id": SHIPPED}, {**entry, "name": "b", "model_id": "acme-unheard-of"}]
    (tmp_path / "models.json").write_text(json.dumps({"models": models}))
    tell_unknown_models(load_and_warn(tmp_path / "models.json"))
    assert capsys.readouterr().err == (
        "Note: JumpStart has no model acme-unheard-of, as far as is known here; only AWS needs it."
        " Details: mlapi check models.json\n"
    )
