"""What a call costs in the gateway, compared with the alternatives: `make bench BENCH=gateway`.

The alternatives take 2.7 GB in `.cache/bench` and are downloaded once.

Every round starts, loads and stops each gateway in turn, so only one runs at a time. `--option
peers=nginx,ray` measures only the peers with these names, besides the model itself, Envoy alone and our own
gateway.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from bench.load import require_wrk
from bench.processes import free_port
from bench.scenario import Measured, Plot, Run, Scenario, WrongOptionError
from bench.scenarios.gateway import llm_gateways, model_servers, ours, proxies
from bench.scenarios.gateway.judging import ADDED, build_row, judge, name_cost, name_ratio
from bench.scenarios.gateway.peer import Peer, Place
from bench.scenarios.gateway.rounds import (
    ALONE_SECONDS,
    CONNECTIONS,
    LOAD_SECONDS,
    ONE_CORE_TURNS,
    TURN_SECONDS,
    Figures,
    measure_peer,
)
from bench.scenarios.gateway.words import NOTES, render_about

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ALWAYS = (proxies.UPSTREAM, proxies.ENVOY, ours.OURS)
PEERS = (
    proxies.UPSTREAM,
    proxies.ENVOY,
    ours.OURS,
    ours.PUBLIC,
    ours.BELOW,
    ours.OPENAI,
    ours.HOSTED,
    ours.LIMITED,
    ours.ANTHROPIC,
    ours.TRANSLATED,
    proxies.NGINX,
    *llm_gateways.ALL,
    *proxies.ASGI,
    model_servers.BENTOML,
    model_servers.RAY,
    model_servers.MLFLOW,
    model_servers.LITELLM,
)
"""In the order of the table."""


def measure(run: Run) -> Measured:
    """Measures all chosen gateways in every round."""
    chosen = choose(run.options.get("peers", ""))
    require_wrk(run.say)
    versions = {name: version for peer in chosen for name, version in peer.versions(run.say).items()}
    figures: dict[str, list[Figures]] = {peer.name: [] for peer in chosen}
    for number in range(run.rounds):
        for peer, measured in measure_round(run, number, chosen):
            figures[peer.name].append(measured)
    return Measured(
        goals=judge(figures),
        rows=[build_row(name, figures) for name in figures],
        versions=versions,
        details={
            "connections": CONNECTIONS,
            "seconds": {
                "load": LOAD_SECONDS,
                "one caller": ALONE_SECONDS,
                "one core": ONE_CORE_TURNS * TURN_SECONDS,
            },
            "rounds": {
                name: [asdict(figures_of_round) for figures_of_round in rounds]
                for name, rounds in figures.items()
            },
        },
    )


def choose(names: str) -> list[Peer]:
    """Returns the peers whose names contain one of the comma-separated `names`; all peers if it is empty."""
    asked = [name.strip().lower() for name in names.split(",") if name.strip()]
    known = [peer.name.lower() for peer in PEERS]
    if unknown := [name for name in asked if not any(name in peer_name for peer_name in known)]:
        raise WrongOptionError(f"there is no gateway {unknown[0]!r}; choose from {', '.join(known)}")
    return [
        peer
        for peer in PEERS
        if not asked or peer in ALWAYS or any(name in peer.name.lower() for name in asked)
    ]


def measure_round(run: Run, number: int, chosen: Sequence[Peer]) -> Iterator[tuple[Peer, Figures]]:
    """Measures the gateways in turn, in front of the same model and beside the same Envoy."""
    folder = run.folder / f"round-{number}"
    upstream = Place(folder / "model", free_port(), run.say)
    beside = Place(folder / "beside", upstream.upstream, run.say)
    for place in (upstream, beside):
        place.folder.mkdir(parents=True)
    with proxies.start_upstream(upstream) as model, proxies.start_envoy(beside) as bare:
        for position, peer in enumerate(chosen):
            place = Place(folder / str(position), upstream.upstream, run.say)
            figures = measure_peer(peer, place, model, bare)
            run.say(f"round {number + 1} of {run.rounds}: {peer.name}: {render_figures(figures)}")
            yield peer, figures


def render_figures(figures: Figures) -> str:
    """Returns a line of progress."""
    load, alone = figures.load, figures.alone
    one_core = f"{figures.one_core_microseconds:,.1f} on one core, {figures.times_bare:.2f} of Envoy alone"
    each = f"{figures.microseconds:,.1f} µs of processor time ({one_core})"
    return f"{load.calls_a_second:,.0f} calls/s, {each}, alone {alone.p50_milliseconds} ms"


SCENARIO = Scenario(
    title="What the gateway costs",
    about=render_about(PEERS),
    rounds=3,
    measure=measure,
    plot=Plot("calls per second of processor time", "", "calls per CPU second"),
    notes=NOTES,
    quoted={
        ADDED: "milliseconds the gateway adds to a call, p50",
        name_cost(ours.OURS.name, proxies.ENVOY.name): "processor time per call, compared with Envoy alone",
        name_cost(
            ours.OURS.name, llm_gateways.VLLM_ROUTER.name
        ): "the same, compared with vllm-router, which has no keys, limits or log",
        **{
            name_ratio(
                ours.OURS.name, server.name
            ): f"calls per CPU second, compared with an ASGI gateway with the same features on {server.name}"
            for server in proxies.ASGI
        },
        name_ratio(
            ours.OPENAI.name, model_servers.LITELLM.name
        ): "the same on OpenAI's paths, compared with LiteLLM's proxy",
    },
)
