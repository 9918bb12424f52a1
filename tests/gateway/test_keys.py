"""With teams, every call needs a key, and a team calls only what is on its list."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.documents import ServedDocument
from centralized_ml_api.api.event_start import not_started
from centralized_ml_api.api.http import PUBLIC_PATHS
from centralized_ml_api.api.keys import new_key
from centralized_ml_api.api.openai import CHAT_PATH
from centralized_ml_api.errors import StartError
from centralized_ml_api.local.admission.terms import TEAM_HEADER
from centralized_ml_api.local.gateway import ServedRoute, TeamAccess
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES
from contract.case import LOCAL, refused
from support.route_table import list_routes
from support.running_gateway import start_gateway
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from centralized_ml_api.api.error_shape import ApiError
    from centralized_ml_api.local.gateway import Gateway
    from support.background import Background
    from support.running_gateway import Answer, RunningGateway

RED, FORMER, BLUE = "red-now", "red-before", "blue-now"
TEAMS = (
    TeamAccess("red team", (RED, FORMER), models=("echo", "usual", "function", "one-of-two")),
    TeamAccess("blue", (BLUE,)),
    TeamAccess("revoked", ()),
)
CHAT = "/v1/chat/completions"
CLIENTS = 4
ROTATIONS = 8


@pytest.fixture(scope="module")
def guarded(served: Gateway) -> Gateway:
    """The gateway of most tests, with teams, and with everything that a gateway can serve."""
    documents = [ServedDocument(path, "text/plain", path) for path in ("/", "/models", "/openapi.json")]
    documents.append(ServedDocument("/models", "text/plain", "of the red team", models=TEAMS[0].models))
    chat = [ServedRoute(name, "odd", "/chat", ()) for name in ("echo", "teapot")]
    return replace(served, teams=TEAMS, documents=tuple(documents), by_model={CHAT_PATH: tuple(chat)})


@pytest.fixture(scope="module")
def keyed(
    tmp_path_factory: pytest.TempPathFactory, background: Background, guarded: Gateway
) -> Iterator[RunningGateway]:
    with start_gateway(tmp_path_factory.mktemp("keyed"), background, guarded) as running:
        yield running


def assert_refused(answer: Answer, error: ApiError) -> None:
    """In the one shape, with CORS headers and a request id."""
    refused(error).check(answer, LOCAL)


def routes_of(running: RunningGateway) -> list[tuple[str, str]]:
    """A method and a path for each route of the table that Envoy has."""
    table = json.loads((running.folder / "routes.json").read_text())["resources"][0]
    return [request_for(route["match"]) for route in list_routes(table)]


def request_for(match: dict[str, Any]) -> tuple[str, str]:
    path = match.get("path") or match.get("path_separated_prefix")
    if "safe_regex" in match:
        path = "/any/v1/messages/any"
        assert re.fullmatch(match["safe_regex"]["regex"], path)
    path = path or f"{match['prefix']}any"
    method = "PATCH"
    for header in match.get("headers", ()):
        said = header.get("string_match", {})
        if header["name"] == ":method":
            method = said.get("exact") or said["safe_regex"]["regex"].partition("|")[0]
        elif header["name"] == ":path":
            path += "?query=1"
    return method, path


@pytest.mark.slow
def test_every_route_but_the_public_ones_refuses_a_call_without_a_valid_key(keyed: RunningGateway) -> None:
    routes = routes_of(keyed)
    assert len(routes) > 60
    for method, path in routes:
        answers = [keyed.call(path, method=method, headers=shown) for shown in ({}, {"x-api-key": "wrong"})]
        public = method == "OPTIONS" or path in PUBLIC_PATHS
        statuses = {answer.status for answer in answers}
        assert (statuses == {401}) is not public, f"{method} {path}: {statuses}"


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/echo", "/function", "/refused", "/nope", "/models", CHAT, "/v1/models"])
def test_the_refusal_has_the_shape_of_every_error(keyed: RunningGateway, path: str) -> None:
    assert_refused(keyed.call(path), errors.UNAUTHORIZED)


@pytest.mark.slow
def test_until_the_event_starts_a_valid_key_opens_the_documents_and_no_model(
    keyed: RunningGateway, guarded: Gateway
) -> None:
    starts, own = datetime(2030, 6, 1, 7, tzinfo=UTC), {"x-api-key": BLUE}
    keyed.apply(replace(guarded, starts=starts))
    try:
        for path in ("/echo", "/function", "/refused", CHAT):
            answer = keyed.call(path, headers=own)
            assert_refused(answer, not_started(starts))
            assert answer.header("retry-after") == "Sat, 01 Jun 2030 07:00:00 GMT"
            assert answer.header("x-should-retry") == "false"
            assert_refused(keyed.call(path), errors.UNAUTHORIZED)
        for path in ("/models", "/v1/models"):
            assert keyed.call(path, method="GET", headers=own).status == 200
        assert keyed.call("/nope", headers=own).status == 404
        assert keyed.call("/echo", method="PUT", headers=own).status == 405
    finally:
        keyed.apply(guarded)
    assert keyed.call("/echo", headers=own).status == 200


@pytest.mark.slow
def test_a_large_body_is_not_held_for_somebody_without_a_key(keyed: RunningGateway) -> None:
    """The script drops it as it comes: what is over the limit for bodies is not too large."""
    assert_refused(keyed.call("/echo", bytes(BODY_LIMIT_BYTES + 1)), errors.UNAUTHORIZED)


@pytest.mark.slow
@pytest.mark.parametrize(
    "shown",
    [
        {"x-api-key": RED},
        {"X-API-Key": FORMER},
        {"Authorization": f"Bearer {RED}"},
        {"authorization": f"Bearer {FORMER}"},
        {"x-api-key": RED, "Authorization": "Bearer of-something-else"},
        {"Authorization": f"bearer {RED}"},
        {"Authorization": f"BEARER   {RED}"},
        {"Authorization": f"Bearer  {RED}"},
    ],
)
@pytest.mark.parametrize("path", ["/echo", "/usual", "/function"])
def test_a_key_opens_and_reaches_nobody_behind_the_gateway(
    keyed: RunningGateway, shown: dict[str, str], path: str
) -> None:
    answer = keyed.call(path, b"{}", {**shown, "X-Custom": "kept"})
    assert answer.status == 200
    got = {name.lower() for name, _ in answer.json["headers"]}
    assert got & {"x-api-key", "authorization", TEAM_HEADER} == set()
    assert ("x-custom" in got) == (path != "/usual")
    assert keyed.logged(answer.header("x-request-id"))["team"] == "red team"


@pytest.mark.slow
@pytest.mark.parametrize("shown", ["", " ", "Bearer", "mlapi_", RED[:-1], RED + "x", f"{RED},{BLUE}"])
def test_what_is_no_key_opens_nothing(keyed: RunningGateway, shown: str) -> None:
    for header in ("x-api-key", "authorization"):
        assert_refused(keyed.call("/echo", b"{}", {header: shown}), errors.UNAUTHORIZED)


@pytest.mark.slow
@pytest.mark.parametrize("headers", [{}, {"x-api-key": "wrong"}, {"authorization": f"Bearer {RED}x"}])
def test_health_names_nothing_to_strangers(keyed: RunningGateway, headers: dict[str, str]) -> None:
    answer = keyed.call("/health", method="GET", headers=headers)
    assert (answer.status, answer.json["status"]) == (503, "unready")
    assert answer.json.keys() == {"error", "status"}
    assert answer.error["message"] == "Some models are not ready."


@pytest.mark.slow
@pytest.mark.parametrize("shown", [{"x-api-key": RED}, {"authorization": f"bearer {RED}"}])
def test_a_team_sees_what_it_may_call_and_nothing_else(keyed: RunningGateway, shown: dict[str, str]) -> None:
    health = keyed.call("/health", method="GET", headers=shown)
    assert (health.status, health.json["ready"]) == (200, ["echo", "function", "one-of-two", "usual"])
    listed = keyed.call("/v1/models", method="GET", headers=shown)
    assert [model["id"] for model in listed.json["data"]] == ["echo"]
    assert keyed.call("/v1/models/teapot", method="GET", headers=shown).status == 404
    assert keyed.call("/models", method="GET", headers=shown).body == b"of the red team"
    assert keyed.call("/models", method="HEAD", headers=shown).header("content-length") == "15"


@pytest.mark.slow
def test_a_team_without_a_list_sees_everything(keyed: RunningGateway) -> None:
    shown = {"x-api-key": BLUE}
    assert keyed.call("/health", method="GET", headers=shown).json["unready"] == {"starting": "starting"}
    listed = keyed.call("/v1/models", method="GET", headers=shown)
    assert [model["id"] for model in listed.json["data"]] == ["echo", "teapot"]
    assert keyed.call("/models", method="GET", headers=shown).body == b"/models"


@pytest.mark.slow
def test_no_other_scheme_is_bearer(keyed: RunningGateway) -> None:
    for shown in (
        f"Basic {RED}",
        f"bearer{RED}",
        f"bearer {RED} {RED}",
        "bearer",
        "bearer ",
        f"x bearer {RED}",
    ):
        assert_refused(keyed.call("/echo", b"{}", {"authorization": shown}), errors.UNAUTHORIZED)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/echo", "/function", "/nope", "/models", CHAT])
@pytest.mark.parametrize("shown", [{}, {"authorization": "bearer wrong"}])
def test_a_401_names_the_scheme_and_both_headers(
    keyed: RunningGateway, path: str, shown: dict[str, str]
) -> None:
    answer = keyed.call(path, b"{}", shown)
    assert answer.header("www-authenticate") == "Bearer"
    assert "x-api-key" in answer.error["message"]
    assert "Authorization: Bearer" in answer.error["message"]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_spelling_of_the_scheme_changes_nothing_else(keyed: RunningGateway, scheme: str) -> None:
    headers = {"authorization": f"{scheme} {RED}"}
    assert keyed.call("/function?a=b", b"{}", headers).json["path"] == "/function?a=b"
    assert keyed.call("/echo?a=b", b"{}", headers).json["path"] == "/echo"
    assert keyed.call("/teapot", b"{}", headers).status == 403
    assert keyed.call("/", method="GET", headers={"authorization": f"{scheme} wrong"}).status == 200
    chat = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "hi"}]}).encode()
    assert keyed.call(CHAT, chat, headers).status == 200


@pytest.mark.slow
def test_nobody_can_say_to_be_another_team(keyed: RunningGateway) -> None:
    stranger = keyed.call("/echo", b"{}", {TEAM_HEADER: "blue"})
    assert_refused(stranger, errors.UNAUTHORIZED)
    assert keyed.logged(stranger.header("x-request-id"))["team"] is None
    member = keyed.call("/teapot", b"{}", {TEAM_HEADER: "blue", "x-api-key": RED})
    assert_refused(member, errors.NOT_ALLOWED)
    known = keyed.call("/echo", b"{}", {TEAM_HEADER: "blue", "x-api-key": RED})
    assert keyed.logged(known.header("x-request-id"))["team"] == "red team"


@pytest.mark.slow
@pytest.mark.parametrize(("key", "status"), [(RED, 403), (BLUE, 418)])
def test_a_model_outside_of_the_list_is_refused(keyed: RunningGateway, key: str, status: int) -> None:
    for path in ("/teapot", "/teapot?a=b"):
        answer = keyed.call(path, b"{}", {"x-api-key": key})
        assert answer.status == status
    if status == 403:
        assert_refused(answer, errors.NOT_ALLOWED)


@pytest.mark.slow
@pytest.mark.parametrize(("model", "status"), [("echo", 200), ("teapot", 403), ("unknown", 404)])
def test_the_list_counts_below_v1_too(keyed: RunningGateway, model: str, status: int) -> None:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}]}).encode()
    answer = keyed.call(CHAT, body, {"Authorization": f"Bearer {RED}"})
    assert answer.status == status
    if status == 403:
        assert_refused(answer, errors.NOT_ALLOWED)
    assert keyed.call(CHAT, body, {"x-api-key": BLUE}).status == (404 if status == 404 else 200)


@pytest.mark.slow
def test_a_model_that_no_team_may_call_is_called_by_none(
    tmp_path: Path, background: Background, served: Gateway
) -> None:
    nobody = replace(served, teams=(TeamAccess("blue", (BLUE,), models=("echo",)),))
    with start_gateway(tmp_path, background, nobody) as running:
        assert running.call("/teapot", headers={"x-api-key": BLUE}).status == 403
        assert running.call("/echo", headers={"x-api-key": BLUE}).status == 200


@pytest.mark.slow
def test_without_any_valid_key_all_are_refused(
    tmp_path: Path, background: Background, served: Gateway
) -> None:
    with start_gateway(tmp_path, background, replace(served, teams=TEAMS[2:])) as running:
        assert running.call("/echo", headers={"x-api-key": BLUE}).status == 401
        assert running.call("/echo", headers={"x-api-key": ""}).status == 401


@pytest.mark.slow
def test_keys_change_under_load_and_no_call_with_a_valid_one_fails(
    tmp_path: Path, background: Background, guarded: Gateway
) -> None:
    """Rotated again and again, each time with the one before still valid; at the end, revoked."""
    with start_gateway(tmp_path, background, guarded) as running, ThreadPoolExecutor(CLIENTS) as pool:
        keys, done = [RED], threading.Event()
        load = [pool.submit(call_with_newest, running, keys, done) for _ in range(CLIENTS)]
        try:
            for _ in range(ROTATIONS):
                fresh = new_key()
                running.apply(with_red_keys(guarded, fresh, keys[-1]))
                keys.append(fresh)
            running.apply(with_red_keys(guarded, keys[-1]))
        finally:
            done.set()
        statuses = [status for client in load for status in client.result()]
        assert set(statuses) == {200}
        assert len(statuses) > ROTATIONS
        running.apply(with_red_keys(guarded))
        wait_until(lambda: status_with(running, keys[-1]) == 401, "the revoked key is refused")
        assert status_with(running, keys[0]) == 401


def with_red_keys(gateway: Gateway, *keys: str) -> Gateway:
    return replace(gateway, teams=(replace(TEAMS[0], keys=keys), *TEAMS[1:]))


def status_with(running: RunningGateway, key: str) -> int:
    return running.call("/echo", b"{}", {"x-api-key": key}).status


def call_with_newest(running: RunningGateway, keys: list[str], done: threading.Event) -> list[int]:
    statuses = []
    while not done.is_set():
        statuses.append(status_with(running, keys[-1]))
    return statuses


@pytest.mark.slow
def test_a_refused_change_names_no_key(tmp_path: Path, background: Background, guarded: Gateway) -> None:
    """Two teams with the same key: Envoy refuses them, and shows what it was given."""
    key = new_key()
    twice = replace(guarded, teams=(TEAMS[1], TeamAccess("one", (key,)), TeamAccess("other", (key,))))
    with start_gateway(tmp_path, background, guarded) as running:
        with pytest.raises(StartError, match="refused") as refusal:
            running.apply(twice)
        assert key not in str(refusal.value)
        assert status_with(running, BLUE) == 200
