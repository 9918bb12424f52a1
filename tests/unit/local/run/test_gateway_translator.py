"""The translator beside Envoy: it runs while a route needs it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from centralized_ml_api.local.gateway import (
    Gateway,
    ServedRoute,
    Translation,
)
from support.fake_target import soon
from support.story import story
from support.supervised_gateway import EMPTY, LIMITED, World

if TYPE_CHECKING:
    from pathlib import Path


TRANSLATED = Gateway(
    upstreams=(),
    routes=(),
    by_model={
        "/v1/messages": (
            ServedRoute(
                "gpt",
                "gpt@1",
                "/v1/chat/completions",
                (),
                translation=Translation(
                    "anthropic-messages", "openai-chat", "max_tokens", takes_stream_options=False
                ),
            ),
        )
    },
)


def test_the_translator_starts_with_envoy_where_a_route_needs_it(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.gateway.start()
        await world.gateway.apply(LIMITED)
        assert world.translator.did == []
        needing = World(tmp_path)
        await needing.gateway.apply(TRANSLATED)
        assert needing.translator.did == [], "Envoy does not run yet"
        await needing.gateway.start()
        assert needing.translator.did == ["start", "wait"]
        await needing.gateway.apply(EMPTY)
        await needing.gateway.apply(TRANSLATED)
        assert needing.translator.did == ["start", "wait"], "it still runs"
        await needing.gateway.stop()
        assert needing.translator.did[-1] == "stop"

    story(tell)


def test_the_translator_starts_before_the_first_route_that_needs_it(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.gateway.start()
        world.envoy.takes.clear()
        applying = asyncio.create_task(world.gateway.apply(TRANSLATED))
        await soon(lambda: world.translator.did == ["start", "wait"])
        assert world.envoy.applied == []
        world.envoy.takes.set()
        await applying
        assert len(world.envoy.applied) == 1

    story(tell)


def test_the_translator_starts_for_a_route_that_comes_while_envoy_starts(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        world.envoy.starts.clear()
        starting = asyncio.create_task(world.gateway.start())
        await soon(lambda: world.envoy.did == ["launch", "wait 60"])
        await world.gateway.apply(TRANSLATED)
        assert world.translator.did == []
        world.envoy.starts.set()
        await starting
        assert world.translator.did[:2] == ["start", "wait"]

    story(tell)


def test_the_translator_ends_with_the_last_call_after_the_last_route_that_needs_it(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.gateway.apply(TRANSLATED)
        await world.gateway.start()
        world.envoy.active["translator"] = 1
        await world.gateway.apply(EMPTY)
        await world.gateway.apply(LIMITED)
        await soon(lambda: len(world.time.slept) > 20)
        assert world.translator.did == ["start", "wait"], "a call is under way"
        del world.envoy.active["translator"]
        looks = len(world.time.slept)
        await soon(lambda: world.translator.did == ["start", "wait", "stop"])
        assert world.time.slept[looks:] in ([1.0] * 4, [1.0] * 5)
        await world.gateway.apply(TRANSLATED)
        assert world.translator.did == ["start", "wait", "stop", "start", "wait"]

    story(tell)


def test_a_translator_that_is_needed_again_goes_on(tmp_path: Path) -> None:
    async def tell() -> None:
        world = World(tmp_path)
        await world.gateway.apply(TRANSLATED)
        await world.gateway.start()
        world.envoy.active["translator"] = 1
        await world.gateway.apply(EMPTY)
        await world.gateway.apply(TRANSLATED)
        del world.envoy.active["translator"]
        for _ in range(20):
            await asyncio.sleep(0)
        assert world.translator.did == ["start", "wait"]
        world.envoy.active["translator"] = 1
        await world.gateway.apply(EMPTY)
        await world.gateway.stop()
        looks = len(world.time.slept)
        for _ in range(20):
            await asyncio.sleep(0)
        assert (world.translator.did[-1], len(world.time.slept)) == ("stop", looks)

    story(tell)
