"""A change reaches Envoy in steps, each of which it has accepted before the next one is written."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centralized_ml_api.errors import StartError
from centralized_ml_api.local.envoy.settings import Files, Settings
from centralized_ml_api.local.envoy.xds import UNKNOWN_SNAPSHOT, Snapshot, build_snapshot, write_snapshot
from centralized_ml_api.local.envoy.xds_update import XdsUpdate
from centralized_ml_api.local.gateway import ExternalUpstream, Gateway, ServedRoute, TeamAccess, Upstream
from centralized_ml_api.plan.event import Throttle
from support.fake_envoy import FakeEnvoy

if TYPE_CHECKING:
    from collections.abc import Callable

RED = TeamAccess("red", (), throttle=Throttle(5, 5))


def serving(*names: str, port: int = 40001) -> Gateway:
    return Gateway(
        tuple(Upstream(name, (port,)) for name in names),
        tuple(ServedRoute(name, name, "/invocations", ()) for name in names),
        runs_jobs=True,
    )


class Running:
    """A fake Envoy that serves a gateway, and how to take it to another."""

    def __init__(self, folder: Path, gateway: Gateway) -> None:
        self.files = Files(folder / "gateway", folder / "logs/access.log")
        self.settings = Settings("127.0.0.1", 8080, self.files, Path("ca.pem"))
        snapshot = build_snapshot(gateway, self.settings)
        write_snapshot(self.files, snapshot)
        self.snapshot = snapshot.without_tables()  # all that is kept of what Envoy has
        self.envoy = FakeEnvoy(self.files)
        self.envoy.start()
        self.reached_after: list[str] | None = None
        """What Envoy had accepted when it was told that calls reach the servers; None if it was not."""

    def update(
        self, gateway: Gateway, *, old: Snapshot | None = None, accept_seconds: float = 10
    ) -> list[str]:
        """Returns the names of the files that Envoy accepted, in this order."""
        self.envoy.accepted.clear()
        new = build_snapshot(gateway, self.settings)
        self.reached_after = None
        update = XdsUpdate(
            self.envoy, self.files, old or self.snapshot, new, accept_seconds, reached=self._note_reached
        )
        asyncio.run(update.run())
        self.snapshot = new.without_tables()
        return self.envoy.accepted

    def _note_reached(self) -> None:
        assert self.reached_after is None, "it is told once"
        self.reached_after = [*self.envoy.accepted]

    def inodes(self) -> dict[str, int]:
        """A file that is written anew has another inode."""
        return {path.name: path.stat().st_ino for path in self.files.folder.rglob("*.json")}


@pytest.fixture
def start(tmp_path: Path) -> Callable[[Gateway], Running]:
    return lambda gateway: Running(tmp_path, gateway)


def test_what_is_new_comes_before_the_routes_to_it(start: Callable[[Gateway], Running]) -> None:
    running = start(serving("a"))
    assert running.update(serving("a", "b")) == ["clusters.json", "job-routes.json", "routes.json"]


def test_what_is_gone_goes_after_the_routes_to_it(start: Callable[[Gateway], Running]) -> None:
    running = start(serving("a", "b"))
    assert running.update(serving("a")) == ["job-routes.json", "routes.json", "clusters.json"]
    assert [path.name for path in running.files.endpoints.iterdir()] == ["a.json"]


def test_what_is_replaced_is_there_until_no_route_points_to_it(start: Callable[[Gateway], Running]) -> None:
    running = start(serving("a"))
    assert running.update(serving("b")) == [
        "clusters.json",
        "job-routes.json",
        "routes.json",
        "clusters.json",
    ]


def test_other_ports_are_one_small_file(start: Callable[[Gateway], Running]) -> None:
    running = start(serving("a", "b"))
    before = running.inodes()
    moved = replace(serving("a", "b"), upstreams=(Upstream("a", (40001,)), Upstream("b", (40002,))))
    assert running.update(moved) == ["b.json"]
    assert {name for name, inode in running.inodes().items() if inode != before[name]} == {"b.json"}


def test_calls_reach_known_servers_before_other_routes_are_taken(start: Callable[[Gateway], Running]) -> None:
    running = start(serving("a", "b"))
    moved = replace(serving("a", "b"), upstreams=(Upstream("a", (40001,)), Upstream("b", (40002,))))
    assert running.update(replace(moved, unready=(("b", "why"),))) == ["b.json", "routes.json"]
    assert running.reached_after == ["b.json"]


def test_calls_reach_a_new_server_only_with_its_routes(start: Callable[[Gateway], Running]) -> None:
    running = start(serving("a"))
    running.update(serving("a", "b"))
    assert running.reached_after is None


def test_without_a_change_no_file_is_written_and_nothing_is_asked(
    start: Callable[[Gateway], Running],
) -> None:
    running = start(serving("a"))
    before = running.inodes()
    assert running.update(serving("a")) == []
    assert running.inodes() == before
    assert running.envoy.looks == 0


def test_a_limit_comes_before_the_routes_that_enable_it_and_others_keep_their_buckets(
    start: Callable[[Gateway], Running],
) -> None:
    running = start(serving("a"))
    before = running.inodes()
    assert running.update(replace(serving("a"), teams=(RED,))) == [
        "limit-rate.json",
        "job-routes.json",
        "routes.json",
    ]
    after = running.inodes()
    assert {after[name] == before[name] for name in ("limit-throttle.json", "limit-quota.json")} == {True}


def test_a_listener_comes_before_the_table_that_it_reads(start: Callable[[Gateway], Running]) -> None:
    running = start(replace(serving("a"), runs_jobs=False))
    assert running.update(serving("a")) == ["listeners.json", "job-routes.json"]


def test_nobody_waits_for_a_table_that_no_listener_reads(start: Callable[[Gateway], Running]) -> None:
    running = start(replace(serving("a"), runs_jobs=False))
    running.envoy.ignores.add("job-routes.json")
    before = running.inodes()
    changed = replace(serving("a"), runs_jobs=False, teams=(RED,))
    assert "routes.json" in running.update(changed)
    assert running.inodes()["job-routes.json"] != before["job-routes.json"], "the listener will find it so"
    running.envoy.ignores.clear()
    assert "listeners.json" in running.update(replace(changed, runs_jobs=True))


def test_a_listener_that_still_reads_its_table_is_waited_for(start: Callable[[Gateway], Running]) -> None:
    running = start(replace(serving("a"), runs_jobs=False))
    running.envoy.stats_values["listener_manager.total_listeners_warming"] = 1
    with pytest.raises(StartError, match="did not accept"):
        running.update(serving("a"), accept_seconds=0.1)
    running.envoy.stats_values["listener_manager.total_listeners_warming"] = 0
    running.update(serving("a"))


def test_of_an_envoy_that_may_have_anything_everything_is_written(
    start: Callable[[Gateway], Running],
) -> None:
    running = start(serving("a"))
    before = running.inodes()
    running.update(serving("a"), old=UNKNOWN_SNAPSHOT)
    assert not before.items() & running.inodes().items()


@pytest.mark.parametrize("delay", [1, 3])
def test_each_step_waits_until_envoy_has_accepted_the_one_before(
    start: Callable[[Gateway], Running], delay: int
) -> None:
    running = start(serving("a", "gone"))
    running.envoy.delay = delay
    changed = replace(serving("a", "new", port=40009), teams=(RED,))
    expected = [
        "a.json",
        "clusters.json",
        "limit-rate.json",
        "job-routes.json",
        "routes.json",
        "clusters.json",
    ]
    assert running.update(changed) == expected


def test_routes_wait_until_the_clusters_that_they_point_to_are_warm(
    start: Callable[[Gateway], Running],
) -> None:
    running = start(serving("a"))
    running.envoy.warming = 5
    assert running.update(serving("a", "b")) == ["clusters.json", "job-routes.json", "routes.json"]


def test_a_rejected_step_names_its_statistic_and_the_next_is_not_written(
    start: Callable[[Gateway], Running],
) -> None:
    running = start(serving("a"))
    routes = running.files.routes.read_text()
    running.envoy.rejects = {"clusters.json"}
    with pytest.raises(StartError) as refused:
        running.update(serving("a", "b"))
    assert refused.value.message == (
        "the gateway rejected its new configuration (cluster_manager.cds.update_rejected)"
    )
    assert refused.value.fix == "read the log of the gateway"
    assert running.files.routes.read_text() == routes


def test_what_was_rejected_earlier_does_not_count(start: Callable[[Gateway], Running]) -> None:
    running = start(serving("a"))
    running.envoy.stats_values["cluster_manager.cds.update_rejected"] = 3
    assert running.update(serving("a", "b")) == ["clusters.json", "job-routes.json", "routes.json"]


def test_a_step_that_is_not_accepted_in_time_ends_the_update(start: Callable[[Gateway], Running]) -> None:
    running = start(serving("a"))
    routes = running.files.routes.read_text()
    running.envoy.ignores = {"clusters.json"}
    with pytest.raises(StartError) as refused:
        running.update(serving("a", "b"), accept_seconds=0.02)
    assert refused.value.message == "the gateway did not accept its new configuration within 0.02 s"
    assert refused.value.fix == "read the log of the gateway"
    assert running.files.routes.read_text() == routes


@pytest.mark.parametrize(
    "name",
    [
        "endpoints/a.json",
        "endpoints/b.json",
        "clusters.json",
        "limit-rate.json",
        "job-routes.json",
        "routes.json",
    ],
)
def test_a_full_disk_ends_the_update_at_that_file_and_the_next_update_succeeds(
    start: Callable[[Gateway], Running], name: str
) -> None:
    running = start(serving("a"))
    wanted = replace(serving("a", "b", port=40009), teams=(RED,))
    path = running.files.folder / name
    draft = path.with_name(f".{path.name}.new")
    before = path.read_text() if path.exists() else None
    draft.symlink_to("/dev/full")
    with pytest.raises(StartError) as refused:
        running.update(wanted)
    assert refused.value.message == f"the gateway's {path} cannot be written: No space left on device"
    assert (path.read_text() if path.exists() else None) == before
    draft.unlink()
    running.update(wanted, old=UNKNOWN_SNAPSHOT)
    assert running.envoy.accepted[-1] in {"routes.json", "job-routes.json"}


UPSTREAMS = st.sampled_from("abc").flatmap(
    lambda name: st.one_of(
        st.builds(Upstream, st.just(name), st.sets(st.integers(40001, 40003)).map(tuple)),
        st.builds(
            ExternalUpstream, st.just(name), st.sampled_from(["192.0.2.1", "box"]), st.just(80), st.booleans()
        ),
    )
)


@st.composite
def gateways(draw: st.DrawFn) -> Gateway:
    upstreams = draw(st.lists(UPSTREAMS, max_size=3, unique_by=lambda upstream: upstream.name))
    names = [upstream.name for upstream in upstreams]
    routed = draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    routes = tuple(ServedRoute(f"to-{name}", name, "/", ()) for name in routed)
    teams, runs_jobs = draw(st.sampled_from([(), (RED,)])), draw(st.booleans())
    return Gateway(tuple(upstreams), routes, teams=teams, runs_jobs=runs_jobs)


@settings(max_examples=20, deadline=None)
@given(first=gateways(), rest=st.lists(gateways(), max_size=4), delay=st.integers(0, 2))
def test_on_any_way_nothing_ever_points_to_what_envoy_does_not_have(
    first: Gateway, rest: list[Gateway], delay: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    running = Running(tmp_path_factory.mktemp("any"), first)
    running.envoy.delay = delay
    running.envoy.warming = 2 * delay
    for gateway in rest:
        running.update(gateway)
    expected = {
        upstream.name for upstream in (rest or [first])[-1].upstreams if isinstance(upstream, Upstream)
    }
    assert {path.stem for path in running.files.endpoints.iterdir()} == expected
