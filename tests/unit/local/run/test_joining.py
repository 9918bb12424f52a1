"""The desk at which teams join, and the calls by which they reach it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.joining import TRIES
from centralized_ml_api.api.keys import is_key
from centralized_ml_api.errors import MlApiError
from centralized_ml_api.local.admission.refusals import RefusalError
from centralized_ml_api.local.gateway import JOIN_ADDRESS_HEADER, JOIN_PROOF_HEADER, Doors
from centralized_ml_api.local.keys import JoinBook, KeyRing, KeyStore, LocalKeys
from centralized_ml_api.local.run.join_application import build_join_application
from centralized_ml_api.local.run.joining import Entrance, JoinDesk, Joined
from centralized_ml_api.local.run.supervisor import Supervisor
from centralized_ml_api.local.sleep.wake_times import WAKE_TIMES_FILE, WakeTimes
from centralized_ml_api.plan.event import EventPlan, JoinPlan, TeamPlan
from support.fake_target import NOON, FakeGateway, FakeLink, FakeService, HandClock, entry, plan, soon
from support.story import story
from support.virtual_time import PatientLoop

if TYPE_CHECKING:
    from pathlib import Path


CODE = "HERON-42"
TEAM = TeamPlan("", None, None, None)
PLACES = JoinPlan(40, TEAM, CODE)
EVENT = EventPlan((TeamPlan("red", None, None, None),), join=PLACES)
HERE = "10.0.0.7"


class Hall:
    """A desk with a real file of keys; `told` are the teams of which the gateway knows."""

    def __init__(self, folder: Path, event: EventPlan = EVENT) -> None:
        self.time = HandClock()
        self.event = event
        self.store = KeyStore(folder)
        self.ring = KeyRing(self.store, self.time.clock)
        self.book = JoinBook(folder)
        self.told: list[tuple[str, bool]] = []
        self.failed: list[MlApiError] = []
        self.desk = JoinDesk(
            self.ring, self.book, lambda: self.event, self.tell, self.failed.append, clock=self.time.clock
        )

    async def tell(self, team: str) -> None:
        """Notes whether the key was on the disk by then."""
        self.told.append((team, team in {record.team for record in self.store.load() or ()}))

    async def refused(self, name: str = "Owls", code: str = CODE, address: str = HERE) -> RefusalError:
        with pytest.raises(RefusalError) as caught:
            await self.desk.join(address, code, name)
        return caught.value


def test_a_team_gets_a_key_that_is_kept_and_known_before_it_is_told(tmp_path: Path) -> None:
    async def tell() -> None:
        hall = Hall(tmp_path)
        await hall.ring.use(["red"], has_places=True)
        joined = await hall.desk.join(HERE, "heron 42", " Night  Owls ")
        assert joined.team == "Night Owls"
        assert is_key(joined.key)
        assert joined.key not in repr(joined)
        assert hall.told == [("Night Owls", True)]
        assert hall.ring.valid()["Night Owls"] == (joined.key,)
        assert LocalKeys(hall.store).show("Night Owls") == joined.key
        assert hall.store.path.stat().st_mode & 0o777 == 0o600

    story(tell)


def test_forty_at_once_have_forty_keys_and_the_next_is_told(tmp_path: Path) -> None:
    async def tell() -> None:
        hall = Hall(tmp_path)
        joined = await asyncio.gather(*(hall.desk.join(HERE, CODE, f"team {number}") for number in range(40)))
        assert len({team.key for team in joined}) == 40
        full = await hall.refused("late")
        assert (full.error.status, full.error.code) == (403, "join_full")
        assert full.error.message.startswith("All 40 places are taken.")
        assert len(hall.store.load() or ()) == 40

    story(tell)


def test_of_equal_names_at_once_one_team_has_it(tmp_path: Path) -> None:
    async def tell() -> None:
        hall = Hall(tmp_path)
        names = ("Owls", "owls", "OWLS", "red", "Red")
        tries = await asyncio.gather(
            *(hall.desk.join(HERE, CODE, name) for name in names), return_exceptions=True
        )
        (joined,) = (one for one in tries if isinstance(one, Joined))
        assert joined.team == "Owls"
        codes = [one.error.code for one in tries if isinstance(one, RefusalError)]
        assert codes == ["join_name_taken"] * 4

    story(tell)


def test_wrong_codes_are_limited_by_address_and_then_the_right_one_too(tmp_path: Path) -> None:
    async def tell() -> None:
        hall = Hall(tmp_path)
        for _ in range(TRIES):
            assert (await hall.refused(code="WRONG")).error.code == "join_code_wrong"
        limited = await hall.refused()
        assert (limited.error.code, limited.retry_after_seconds) == ("join_limited", 60)
        assert "Try again in 60 seconds" in limited.error.message
        assert (await hall.desk.join("10.0.0.8", CODE, "Others")).team == "Others"
        hall.time.seconds += 60
        assert (await hall.desk.join(HERE, CODE, "Owls")).team == "Owls"

    story(tell)


def test_names_that_fail_do_not_count_as_wrong_codes(tmp_path: Path) -> None:
    async def tell() -> None:
        hall = Hall(tmp_path)
        for _ in range(TRIES + 1):
            assert (await hall.refused("<b>")).error.code == "join_name_invalid"

    story(tell)


def test_a_closed_door_says_why_and_asks_for_no_code(tmp_path: Path) -> None:
    async def tell() -> None:
        hall = Hall(tmp_path)
        hall.book.set_closed(is_closed=True)
        assert (await hall.refused(code="WRONG")).error.message.startswith("Joining is closed.")
        hall.book.set_closed(is_closed=False)
        hall.event = replace(EVENT, join=replace(PLACES, until=NOON))
        closed = await hall.refused()
        assert closed.error.code == "join_closed"
        assert "since 2030-06-01T12:00:00Z" in closed.error.message
        later = NOON + timedelta(seconds=1)
        hall.event = replace(EVENT, join=replace(PLACES, until=later))
        assert await hall.desk.join(HERE, CODE, "Owls")
        hall.event = replace(EVENT, join=None)
        assert (await hall.refused("late")).error.code == "join_closed"

    story(tell)


def test_a_code_that_is_made_anew_holds_at_once(tmp_path: Path) -> None:
    async def tell() -> None:
        hall = Hall(tmp_path, replace(EVENT, join=JoinPlan(40, TEAM)))
        before = hall.book.load().code
        assert await hall.desk.join(HERE, before, "Owls")
        hall.book.renew_code()
        assert (await hall.refused("late", before)).error.code == "join_code_wrong"
        assert await hall.desk.join(HERE, hall.book.load().code, "late")

    story(tell)


def test_what_cannot_be_kept_is_handed_to_nobody(tmp_path: Path) -> None:
    async def tell() -> None:
        hall = Hall(tmp_path)
        hall.store.path.write_text("damaged")
        refused = await hall.refused()
        assert (refused.error.status, refused.error.code) == (503, "join_not_kept")
        assert str(tmp_path) not in refused.error.message
        assert hall.told == []
        await hall.refused()
        assert [str(tmp_path) in error.message for error in hall.failed] == [True], "organizers read it once"
        hall.store.path.unlink()
        await hall.desk.join(HERE, CODE, "Owls")
        hall.store.path.write_text("damaged again")
        await hall.refused("late")
        assert len(hall.failed) == 2

    story(tell)


def test_a_gateway_that_learns_late_keeps_nobody_from_its_key(tmp_path: Path) -> None:
    async def tell() -> None:
        hall = Hall(tmp_path)

        async def never(_: str) -> None:
            raise TimeoutError

        hall.desk = JoinDesk(
            hall.ring, hall.book, lambda: EVENT, never, hall.failed.append, clock=hall.time.clock
        )
        assert is_key((await hall.desk.join(HERE, CODE, "Owls")).key)

    story(tell)


def test_a_key_is_handed_out_after_ten_seconds_though_the_gateway_does_not_know_it(tmp_path: Path) -> None:
    async def tell() -> None:
        hall = Hall(tmp_path)

        async def forever(_: str) -> None:
            await asyncio.Event().wait()

        hall.desk = JoinDesk(
            hall.ring, hall.book, lambda: EVENT, forever, hall.failed.append, clock=hall.time.clock
        )
        began = asyncio.get_running_loop().time()
        assert is_key((await hall.desk.join(HERE, CODE, "Owls")).key)
        assert asyncio.get_running_loop().time() - began == pytest.approx(10)

    with asyncio.Runner(loop_factory=PatientLoop) as runner:
        runner.run(tell())


def test_the_desk_answers_once_the_gateway_knows_the_team(tmp_path: Path) -> None:
    async def tell() -> None:
        time, gateway, failed = HandClock(), FakeGateway(), list[MlApiError]()
        ring = KeyRing(KeyStore(tmp_path), time.clock)
        entrance = Entrance(tmp_path, ring, time.clock, failed.append)
        supervisor = Supervisor(
            gateway,
            ring,
            FakeService,
            link=FakeLink(),
            times=WakeTimes(tmp_path / WAKE_TIMES_FILE),
            show=lambda: None,
            fail=failed.append,
            clock=time.clock,
            doors=Doors(entrance.door),
        )
        await supervisor.start(plan(entry("a"), event=EVENT))
        running = asyncio.create_task(supervisor.run())
        try:
            await soon(lambda: len(gateway.applied) > 1)
            gateway.takes.clear()
            joining = asyncio.create_task(entrance.open_desk(supervisor).join(HERE, CODE, "Owls"))
            await soon(lambda: "Owls" in ring.valid())
            for _ in range(20):
                await asyncio.sleep(0)
            assert not joining.done(), "its key would not work yet"
            gateway.takes.set()
            joined = await asyncio.wait_for(joining, 30)
            await soon(lambda: [team.keys for team in gateway.applied[-1].teams if team.name == "Owls"])
            assert gateway.applied[-1].teams[-1].keys == (joined.key,)
            assert gateway.applied[-1].door == entrance.door
            assert entrance.door.port == entrance.socket.getsockname()[1]
            assert entrance.door.token not in repr(entrance.door)
        finally:
            entrance.socket.close()
            running.cancel()
            await asyncio.wait({running})
            await supervisor.stop()
        assert failed == []

    story(tell)


class FakeDesk:
    """Notes who comes; with a refusal, nobody gets a place."""

    def __init__(self, refusal: RefusalError | None = None) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.refusal = refusal

    async def join(self, address: str, code: str, name: str) -> Joined:
        self.asked.append((address, code, name))
        if self.refusal:
            raise self.refusal
        return Joined(name, "mlapi_secret")


PROOF = {JOIN_PROOF_HEADER: "token", JOIN_ADDRESS_HEADER: HERE}


async def post(desk: Any, body: Any, headers: dict[str, str] = PROOF) -> tuple[int, Any]:
    async with TestClient(TestServer(build_join_application(desk, "token"))) as client:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = await client.post("/join", data=sent, headers=headers)
        text = await response.text()
        return response.status, json.loads(text) if response.content_type == "application/json" else text


def test_the_gateway_alone_may_ask() -> None:
    async def tell() -> None:
        desk = FakeDesk()
        for headers in ({}, {JOIN_PROOF_HEADER: "wrong"}, {**PROOF, "Origin": "http://evil.example"}):
            status, _ = await post(desk, {"code": "c", "name": "n"}, headers)
            assert status in {401, 403}
        assert desk.asked == []

    story(tell)


def test_an_answer_has_the_key_and_for_an_address_a_qr_code() -> None:
    async def tell() -> None:
        desk = FakeDesk()
        assert await post(desk, {"code": "c", "name": "n"}) == (200, {"team": "n", "key": "mlapi_secret"})
        status, answer = await post(desk, {"code": "c", "name": "n", "address": "http://10.0.0.1:8080/"})
        assert (status, {*answer}) == (200, {"team", "key", "qr"})
        assert {*answer["qr"]["path"]} <= {*"Mhvz-0123456789 "}
        assert desk.asked == [(HERE, "c", "n")] * 2

    story(tell)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"x", b"[]", b"\xff", b"[" * 4000, {}, {"code": "c"}, {"code": 1, "name": "n"}),
        {"code": "c", "name": None},
        {"code": "c" * 65, "name": "n"},
        {"code": "c", "name": "n" * 513},
        {"code": "c", "name": "n", "address": "x" * 301},
        b'{"code": "c", "name": "n", "address": "\\ud800"}',
    ],
)
def test_another_body_is_refused_in_the_shape_of_errors(body: Any) -> None:
    async def tell() -> None:
        desk = FakeDesk()
        status, answer = await post(desk, body, {**PROOF, "x-request-id": "req-1"})
        assert (status, answer["error"]["code"]) == (400, "invalid_body")
        assert answer["error"]["request_id"] == "req-1"
        assert desk.asked == []

    story(tell)


def test_a_refusal_says_when_to_come_back() -> None:
    async def tell() -> None:
        refusing = FakeDesk(RefusalError(errors.JOIN_LIMITED, 7))
        async with TestClient(TestServer(build_join_application(refusing, "token"))) as client:
            response = await client.post("/join", json={"code": "c", "name": "n"}, headers=PROOF)
            assert (response.status, response.headers["retry-after"]) == (429, "7")

    story(tell)
