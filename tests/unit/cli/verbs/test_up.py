"""`mlapi up` refuses to let others call without a key, unless that was said."""

from __future__ import annotations

import ipaddress
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.cli.verbs.up import check_reach, parse_host
from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import UsageError
from centralized_ml_api.plan.build import build_plan
from support.verbs import mlapi

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


def test_a_name_is_no_address() -> None:
    with pytest.raises(UsageError, match=r"--host example\.org is not an IP address"):
        parse_host("example.org")


def test_localhost_is_loopback() -> None:
    assert parse_host("localhost") == ipaddress.ip_address("127.0.0.1")
