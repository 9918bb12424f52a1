"""The command line `mlapi`: one file a verb, each imported only when it is used."""

from __future__ import annotations

import errno
import gc
import importlib
import sys

import click

from centralized_ml_api import __version__
from centralized_ml_api.errors import INTERRUPTED, MlApiError

VERBS = (
    "init",
    "check",
    "plan",
    "pull",
    "models",
    "lock",
    "up",
    "status",
    "down",
    "logs",
    "reload",
    "keys",
    "call",
    "smoke",
    "usage",
    "cost",
    "doctor",
    "deploy",
    "diff",
    "destroy",
    "extend",
    "explain",
    "schema",
)
_TAKES_NO_MORE = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""Why a write fails that is nobody's mistake."""


class Verbs(click.Group):
    """A group whose verbs are modules: `mlapi up` imports `cli/verbs/up.py` and nothing else."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb, in the order in which a user meets them."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of that name, or None."""
        del ctx
        if cmd_name not in VERBS:
            return None
        verb = getattr(importlib.import_module(f"{__name__}.verbs.{cmd_name}"), cmd_name)
        if not isinstance(verb, click.Command):
            raise TypeError(f"cli/verbs/{cmd_name}.py has no verb {cmd_name}")
        return verb


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="mlapi")
def mlapi() -> None:
    """One JSON file lists models, one command gives one HTTP API with a path per model.

    Start with `mlapi init`, then `mlapi check` and `mlapi up`.
    """


def main() -> None:
    """Runs the verb of the command line and ends the process with its exit status.

    0 is success, 1 a failure, 2 a wrong command line or config, 130 an interruption.
    """
    # A quarter of the time of a short verb: Python would look for garbage some hundred times while it
    # imports, where there is none, and once more at the end, in memory that the end gives back anyway.
    # For `up`, which lives on, it is some megabytes.
    gc.set_threshold(50_000)
    status = run()
    gc.freeze()
    sys.exit(status)


def run() -> int:
    """Runs the verb of `sys.argv` and returns the exit status; every expected error is shown, none raised."""
    try:
        status = mlapi.main(standalone_mode=False)
    except MlApiError as error:
        return _failed(error)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except OSError as error:
        return _unwritable(error)
    return status if isinstance(status, int) else 0


def _unwritable(error: OSError) -> int:
    """The status after an output that takes no more (a full disk, a closed pipe); raises any other error."""
    if error.errno not in _TAKES_NO_MORE:
        raise error
    from centralized_ml_api.cli import output  # noqa: PLC0415  # only a failure pays for rendering

    if not isinstance(error, BrokenPipeError):
        output.try_talk(f"error: cannot write: {error.strerror}")
    output.give_up_unwritable()
    return 1


def _failed(error: MlApiError) -> int:
    from centralized_ml_api.cli import output  # noqa: PLC0415  # only a failure pays for rendering

    output.fail(error)
    return error.exit_status
