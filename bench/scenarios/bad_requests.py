"""What engines make of requests that no careful caller would send: `make bench BENCH=bad_requests`.

It takes about a quarter of an hour. A few of each are a test: `tests/end_to_end/test_bad_requests.py`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from bench import language_model
from bench.faults.bad_requests.routes import ROUTES
from bench.faults.bad_requests.run import try_entries, try_routes
from bench.faults.bad_requests.sending import NOTHING
from bench.faults.bad_requests.served import ENGINES, PICTURES, SHOWCASE
from bench.scenario import Goal, Measured, Row, Run, Scenario, WrongOptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.faults.bad_requests.run import AllTried

COUNT = 5_000
SEED = 1
SHARES = {**dict.fromkeys(SHOWCASE, 0.085), PICTURES: 0.025}
"""Of an engine's requests, by entry: models that compute get fewer. The others share what is left."""

MOST_MIB = 128
"""How much a process may grow: numpy and ONNX's runtime keep some of the memory of their largest calls."""

OWN_ROUTES = "the API's own routes"
_LOOKS = 5
_CAN_BE_READ = 400


def measure(run: Run) -> Measured:
    """Runs everything once."""
    count = read_count(run)
    tried = try_entries(run.folder / "api", spread(count), SEED, run.say)
    tried.add(try_routes(run.folder / "routes", share(count), SEED, run.say))
    return build_measured(tried)


def build_measured(tried: AllTried) -> Measured:
    """Builds what is stored."""
    return Measured(
        goals=judge(tried),
        rows=[describe(tried, name, entries) for name, entries in {**ENGINES, OWN_ROUTES: ROUTES}.items()],
        versions=language_model.describe_versions() | {"numpy": "2.2.6"},
        details={"seed": SEED, "entries": _keep(tried), "findings": tried.findings[:_LOOKS]},
    )


def read_count(run: Run) -> int:
    """Returns how many requests each engine gets.

    Raises:
        WrongOptionError: It is no number of at least 100.
    """
    written = run.options.get("count", str(COUNT))
    if not written.isdecimal() or int(written) < 100:  # noqa: PLR2004  fewer say nothing
        raise WrongOptionError(f"count must be a number from 100 on, not {written!r}")
    return int(written)


def spread(count: int) -> dict[str, int]:
    """Returns how many requests each entry gets, so that each engine gets `count` of them."""
    counts: dict[str, int] = {}
    for entries in ENGINES.values():
        counts |= {entry: int(SHARES[entry] * count) for entry in entries if entry in SHARES}
        others = [entry for entry in entries if entry not in SHARES]
        left = count - sum(counts.get(entry, 0) for entry in entries)
        counts |= {entry: left // len(others) for entry in others}
        counts[others[0]] += left % len(others)
    return counts


def share(count: int) -> dict[str, int]:
    """Returns how many requests each of the API's own routes gets, so that all of them get `count`."""
    counts = dict.fromkeys(ROUTES, count // len(ROUTES))
    counts[ROUTES[0]] += count % len(ROUTES)
    return counts


def judge(tried: AllTried) -> list[Goal]:
    """Builds the goals."""
    statuses = _count(tried, list(tried.by_entry))
    errors = sum(number for status, number in statuses.items() if status >= 500)  # noqa: PLR2004
    grown = max(entry.grown_mib for entry in tried.by_entry.values())
    return [
        Goal("bad requests without their right answer, in time", len(tried.findings), 0),
        Goal("bad requests answered with 5xx", errors, 0),
        Goal("tracebacks in logs after bad requests", len(tried.tracebacks), 0),
        Goal("MiB gained by the process that grew most on bad requests", grown, MOST_MIB),
    ]


def describe(tried: AllTried, name: str, entries: Sequence[str]) -> Row:
    """Builds a row: what became of the requests to the entries of one engine, or to the API's routes."""
    statuses = _count(tried, [entry for entry in entries if entry in tried.by_entry])
    unfinished = statuses.pop(NOTHING, 0)
    taken = sum(number for status, number in statuses.items() if status < _CAN_BE_READ)
    refused = {str(status): number for status, number in sorted(statuses.items()) if status >= _CAN_BE_READ}
    return {
        "engine": name,
        "requests": taken + unfinished + sum(refused.values()),
        "could be read": taken,
        "refused": ", ".join(f"{number} with {status}" for status, number in refused.items()),
        "never finished": unfinished,
    }


def _count(tried: AllTried, entries: list[str]) -> Counter[int]:
    return sum((tried.by_entry[entry].outcome.statuses for entry in entries), Counter())


def _keep(tried: AllTried) -> dict[str, Any]:
    return {
        entry: {
            "statuses": {str(status): number for status, number in sorted(one.outcome.statuses.items())},
            "restarts": one.restarts,
            "grown_mib": one.grown_mib,
        }
        for entry, one in tried.by_entry.items()
    }


SCENARIO = Scenario(
    title="Requests that no careful caller would send",
    about=(
        f"Each engine gets {COUNT:,} generated requests through the gateway, several at a time: JSON with\n"
        "odd values, depths and numbers, arrays that claim what they do not have, ragged tables, pictures\n"
        "and recordings whose headers lie, forms, other content types, odd `Accept` headers, headers around\n"
        "every limit, bodies that never end. The same seed sends the same requests. The showcase's models\n"
        "and three plain readers of JSON, csv and npy share those of the engine `python`. The API's own\n"
        "routes share as many again: chats, responses and messages to llama.cpp and, translated, to a\n"
        "provider; embeddings, forms with recordings, speech, images; jobs, joining, lists. They are called\n"
        "with the key of a team with limits, at `/v1` and at `/NAME/v1`."
    ),
    rounds=1,
    fewest_rounds=1,
    measure=measure,
    notes=(
        "A request is wrong only if its caller gets no answer within the 29 seconds of a route, a 5xx, or\n"
        "an error that clients cannot read. One that ends before its body gets none, and rightly.\n"
        "`entries` in the stored result has the statuses of each entry.\n"
        "\n"
        "llama.cpp has a context of 512 tokens here. With the showcase's 2,048, long prompts took more than\n"
        "29 seconds on this busy machine: 12 of 5,000 requests got 504.\n"
        "\n"
        "The process that reads pictures has always grown most. It kept 385 MiB, until Python models'\n"
        "servers began to give back what a request has freed, and took up to 1.2 GiB for a single picture,\n"
        "until what it looks at was bounded: half of that for the same pictures."
    ),
)
