"""The scenario `streams`: its callers read a real model, its figures become rows and goals."""

from __future__ import annotations

import asyncio
import json
import resource
import time

import pytest
from aiohttp import web
from bench.programs import stream_callers
from bench.programs.stream_callers import Caller, Tally, describe, find_share, read_streams, render_request
from bench.programs.ticking_model import build_application, render_event
from bench.scenarios.streams import BARE, DIRECT, OURS, Figures, build_row, judge, word_shortage

CALL = {"url": "http://127.0.0.1:1234/v1/chat/completions", "body": "{}", "headers": {"x-api-key": "sk-1"}}


def figures(**values: float | None) -> Figures:
    known: dict[str, float | None] = {
        "broken": 0,
        "events": 100,
        "p50": 1.0,
        "p99": 2.0,
        "slowest": 9.0,
        "kibibytes": 20.0,
    }
    return Figures(**{**known, "microseconds": 30.0, **values})  # type: ignore[arg-type]  # by name


def test_a_request_says_how_long_its_body_is_and_has_the_headers_of_the_call() -> None:
    head, _, body = render_request({**CALL, "body": "{é}"}).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/chat/completions HTTP/1.1"
    assert {"x-api-key: sk-1", "host: 127.0.0.1:1234", f"content-length: {len(body)}"} <= {*lines}


def test_an_event_that_comes_in_two_pieces_is_one_event() -> None:
    tally = Tally(streams=1, measures=True)
    caller, event = Caller(b"", tally), render_event(time.monotonic_ns())
    middle = event.index(b'"content"') + 12  # among the digits
    caller.data_received(event[:middle])
    assert (tally.opened, tally.nanoseconds) == (0, [])
    caller.data_received(event[middle:] + render_event(time.monotonic_ns()))
    assert (tally.opened, len(tally.nanoseconds), tally.told.is_set()) == (1, 2, True)
    assert all(0 < late < 60 * 10**9 for late in tally.nanoseconds)


def test_events_before_the_measurement_do_not_count() -> None:
    tally = Tally(streams=2)
    Caller(b"", tally).data_received(render_event(time.monotonic_ns()))
    assert (tally.opened, tally.nanoseconds, tally.told.is_set()) == (1, [], False)


def test_a_stream_that_ends_before_the_measurement_does_has_broken() -> None:
    tally = Tally(streams=2)
    Caller(b"", tally).connection_lost(None)
    tally.ends = True
    Caller(b"", tally).connection_lost(None)
    assert tally.broken == 1


def test_a_stream_without_an_event_for_long_is_silent() -> None:
    caller = Caller(b"", Tally(streams=1))
    caller.data_received(render_event(time.monotonic_ns()))
    now = time.monotonic_ns()
    assert not caller.is_silent(now)
    assert caller.is_silent(now + 6 * 10**9)
    caller.data_received(b": a comment\n\n")
    assert caller.is_silent(now + 6 * 10**9), "no event"


@pytest.mark.slow
def test_a_stream_that_falls_silent_counts_as_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_callers, "SILENT_SECONDS", 0.1)
    told: list[int] = []
    writers: list[asyncio.StreamWriter] = []

    async def begin(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(render_event(time.monotonic_ns()))
        await writer.drain()

    async def note(outcome: Tally) -> None:
        told.append(outcome.broken)

    async def read() -> None:
        async with await asyncio.start_server(begin, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            call = {**CALL, "url": f"http://127.0.0.1:{port}/v1/chat/completions"}
            await read_streams(call, streams=3, opening=0.01, seconds=0.3, tell=note)
            for writer in writers:
                writer.close()

    asyncio.run(read())
    assert told == [3]


def test_of_the_delays_the_middle_the_worst_but_one_percent_and_the_worst_are_told() -> None:
    tally = Tally(streams=1, broken=3, nanoseconds=[number * 1_000_000 for number in range(200, 0, -1)])
    assert describe(tally) == {"broken": 3, "events": 200, "p50": 101, "p99": 199, "slowest": 200}
    assert describe(Tally(streams=1))["p99"] == find_share([], 0.5) == 0


@pytest.mark.slow
def test_the_callers_read_the_streams_of_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[Tally, int]] = []

    async def read() -> None:
        runner = web.AppRunner(build_application())
        await runner.setup()

        async def note(outcome: Tally) -> None:
            told.append((outcome, len(runner.server.connections) if runner.server else 0))

        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            call = {**CALL, "url": f"http://127.0.0.1:{port}/v1/chat/completions"}
            await read_streams(call, streams=20, opening=0.1, seconds=1.5, tell=note)
        finally:
            await runner.cleanup()

    asyncio.run(read())
    ((tally, connections),) = told
    assert connections == 20, "all are open while their memory is looked at"
    assert capsys.readouterr().out == "open\n"
    assert (tally.opened, tally.broken) == (20, 0)
    assert len(tally.nanoseconds) >= 20
    assert json.loads(json.dumps(describe(tally)))["p50"] > 0


def test_ours_is_compared_with_envoy_alone_in_the_same_round() -> None:
    measured = {
        DIRECT: [figures(kibibytes=None)] * 2,
        BARE: [figures(p99=2.0, kibibytes=20.0), figures(p99=4.0, kibibytes=30.0)],
        OURS: [figures(p99=3.0, kibibytes=50.0), figures(p99=8.0, kibibytes=60.0, broken=1)],
    }
    broken, late, held = judge(measured)
    assert (broken.value, broken.met) == (1, False)
    assert (late.value, held.value) == (1.75, 2.25)


def test_the_model_itself_holds_nothing_as_a_gateway() -> None:
    direct = build_row(DIRECT, 2000, [figures(kibibytes=None, microseconds=None)])
    ours = build_row(OURS, 2000, [figures(slowest=9.0), figures(slowest=20.0)])
    assert (direct["KiB a stream"], direct["CPU µs an event"]) == (None, None)
    assert (ours["KiB a stream"], ours["slowest ms"], ours["streams"]) == (20, 20, 2000)
    assert list(direct) == list(ours)


def test_a_row_has_the_p99_of_the_best_and_of_the_worst_round_beside_their_median() -> None:
    row = build_row(OURS, 2000, [figures(p99=2.9), figures(p99=1.183), figures(p99=1.6)])
    assert (row["p99 ms"], row["p99 by round"]) == (1.6, "1.18 to 2.90")


def test_one_slow_round_of_either_side_does_not_decide() -> None:
    even = [figures()] * 7
    late = [figures(p99=9.0), *even[1:]]
    assert [judge({DIRECT: even, BARE: even, OURS: late})[1].value] == [1.0]
    assert [judge({DIRECT: even, BARE: late, OURS: even})[1].value] == [1.0]


def test_more_streams_than_files_may_be_open_stop_the_measurement() -> None:
    assert word_shortage(2000, 4200) == word_shortage(2000, resource.RLIM_INFINITY) == ""
    said = "2000 streams need 4200 open files in a process, and 4199 are allowed (ulimit -n)"
    assert word_shortage(2000, 4199) == said
