from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.gateway import (
    DOOR_CALLER_HEADER,
    DOOR_HOST_HEADER,
    DOOR_MODEL_HEADER,
    DOOR_TEAM_HEADER,
    JOIN_PROOF_HEADER,
    Door,
    Gateway,
    ServedRoute,
    TeamAccess,
)
from support.running_gateway import start_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from support.background import Background
    from support.odd_server import OddServer

LATER = {"Prefer": "respond-async"}
MINE = dict.fromkeys(
    (DOOR_TEAM_HEADER, DOOR_MODEL_HEADER, DOOR_CALLER_HEADER, DOOR_HOST_HEADER, JOIN_PROOF_HEADER), "mine"
)
RED = TeamAccess("red", ("red-key",))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("teams", "told"), [((), {}), ((RED,), {DOOR_TEAM_HEADER: "red"})], ids=["no teams", "teams"]
)
def test_no_caller_says_itself_who_it_is_or_whom_it_calls(
    tmp_path: Path,
    background: Background,
    odd: OddServer,
    teams: tuple[TeamAccess, ...],
    told: dict[str, str],
) -> None:
    """The echo stands where `mlapi up` listens, and shows what that is told."""
    echo, door = ServedRoute("echo", "/jobs", "/echo", ()), Door(odd.port, "t0ken", "/jobs")
    gateway = Gateway((door.upstream,), (echo,), by_model={"/echo": (echo,)}, teams=teams, jobs=door)
    with start_gateway(tmp_path, background, gateway) as running:
        for path in ("/echo", "/echo/echo"):
            sent = {**LATER, **MINE, "X-Api-Key": "red-key"}
            heard = dict(running.call(path, b'{"model": "echo"}', sent).json["headers"])
            assert heard.pop(DOOR_CALLER_HEADER).startswith("127.0.0.1:")
            own = {name: value for name, value in heard.items() if name in MINE}
            host = f"127.0.0.1:{running.port}"
            assert own == {JOIN_PROOF_HEADER: "t0ken", DOOR_HOST_HEADER: host, **told}
