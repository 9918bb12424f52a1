"""The driver: `python -m bench NAME …` measures, prints the goals and stores the results.

It exits with 0 whether or not the goals are met; the reader judges.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.catalogue import load_scenario, scenario_names
from bench.keeping import build_result, write_result
from bench.scenario import Run, WrongOptionError
from bench.table import render_goals, render_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.scenario import Scenario


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the named scenarios; returns the exit status."""
    parser = _build_parser()
    chosen = parser.parse_args(arguments)
    known = scenario_names()
    if unknown := [name for name in chosen.names if name not in known]:
        parser.error(f"there is no scenario {unknown[0]!r}; choose from {', '.join(known)}")
    measured = {name: load_scenario(name) for name in chosen.names or known}
    rounds = {name: chosen.rounds or scenario.rounds for name, scenario in measured.items()}
    for name, scenario in measured.items():  # check before measuring, which may take half an hour
        if rounds[name] < scenario.fewest_rounds:
            parser.error(f"--rounds: {name} needs at least {scenario.fewest_rounds}")
    for name, scenario in measured.items():
        try:
            _run(name, scenario, rounds[name], dict(chosen.option), keep=not chosen.no_keep)
        except WrongOptionError as error:
            parser.error(f"--option: {error}")
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(scenario_names())} (default: all)"
    )
    parser.add_argument(
        "--rounds", type=int, help="how often to measure every peer (default: the scenario's own number)"
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        type=_option,
        metavar="KEY=VALUE",
        help="an option of a scenario",
    )
    parser.add_argument("--no-keep", action="store_true", help="do not write to bench/results")
    return parser


def _option(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def _run(name: str, scenario: Scenario, rounds: int, options: dict[str, str], *, keep: bool) -> None:
    _say(f"==> {name}: {scenario.title}, {rounds} rounds")
    load = {"before": os.getloadavg()}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        measured = scenario.measure(Run(rounds, Path(folder), options, _say))
    load["after"] = os.getloadavg()
    sys.stdout.write(f"{render_rows(measured.rows)}\n\n{render_goals(measured.goals)}\n")
    if keep:
        _say(f"stored in {write_result(name, build_result(measured, rounds, load))}")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was started is ended
    sys.exit(main())
