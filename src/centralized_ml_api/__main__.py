"""Starts `mlapi`, also as `python -m centralized_ml_api`."""

from __future__ import annotations

import contextlib
import sys

_INTERRUPTED = 130
"""As `errors.INTERRUPTED`, which is not imported yet."""


def main() -> None:
    """Runs the command line; an interruption ends it without a traceback, even while it still imports."""
    try:
        with contextlib.ExitStack() as stack:
            if sys.argv[1:2] == ["up"]:
                from centralized_ml_api.local.run.early_command import begun  # noqa: PLC0415  # of one verb

                stack.enter_context(begun(sys.argv[1:]))
            from centralized_ml_api.cli import main as run_command_line  # noqa: PLC0415  # takes the longest

            run_command_line()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
