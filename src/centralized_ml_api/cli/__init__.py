"""The command line `mlapi`: one module for each verb in `verbs/`, imported only when it is used."""

from __future__ import annotations

import errno
import gc
import importlib
import os
import signal
import sys

import click

from centralized_ml_api import __version__
from centralized_ml_api.commands import command, program
from centralized_ml_api.errors import INTERRUPTED, ConfigError, MlApiError, UsageError

SECTIONS = {
    "Serve on this machine": (
        *("init", "check", "plan", "pull", "up", "status", "logs", "reload"),
        *("wake", "sleep", "restart", "down", "call", "smoke"),
    ),
    "Run an event": (
        *("board", "join", "keys", "clients", "usage"),
        *("message", "pause", "resume", "grant", "extend"),
    ),
    "Deploy to AWS": ("doctor", "cost", "lock", "deploy", "diff", "destroy"),
    "Look things up": ("models", "explain", "schema", "completion"),
}
"""The verbs by what they are for, as `mlapi --help` lists them."""

VERBS = tuple(verb for verbs in SECTIONS.values() for verb in verbs)
_TAKES_NO_MORE = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""Why a write fails without anybody's mistake."""


class Verbs(click.Group):
    """A group whose verbs are modules: `mlapi up` imports `cli/verbs/up.py` and no other verb."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns every verb."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Returns the verb of that name, or None.

        Raises:
            TypeError: The verb's module does not define it.
        """
        del ctx
        if cmd_name not in VERBS:
            return None
        verb = getattr(importlib.import_module(f"{__name__}.verbs.{cmd_name}"), cmd_name)
        if not isinstance(verb, click.Command):
            raise TypeError(f"cli/verbs/{cmd_name}.py has no verb {cmd_name}")
        return verb

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Returns the verb and its arguments.

        Raises:
            click.UsageError: There is no such verb; the message names the nearest one.
        """
        name = args[0]
        if name not in VERBS and not name.startswith("-") and not ctx.resilient_parsing:
            from centralized_ml_api.config.wording import nearest

            meant = nearest(name, (*VERBS, "help"))
            meant = "--help" if meant == "help" else meant
            ctx.fail(f"No such command {name!r}." + (f" Did you mean {meant!r}?" if meant else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the verbs in their sections, each with the first sentence of its help."""
        longest = max(map(len, VERBS))
        for title, verbs in SECTIONS.items():
            commands = {verb: self.get_command(ctx, verb) for verb in verbs}
            with formatter.section(title):
                formatter.write_dl(
                    [
                        (verb.ljust(longest), command.get_short_help_str(formatter.width - 6 - longest))
                        for verb, command in commands.items()
                        if command
                    ]
                )


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="mlapi")
def mlapi() -> None:
    """Turn one JSON file of models into one HTTP API with a path for each model.

    Start with `mlapi init`, then `mlapi check` and `mlapi up`.
    """


def main() -> None:
    """Runs the verb of the command line and ends the process with its exit status.

    0 is success, 1 a failure, 2 a wrong command line or config, 130 an interruption.
    """
    # A quarter of the time of a short verb: while it imports, Python would look for garbage some hundred
    # times where there is none, and once more at the end, in memory that the end frees anyway. For `up`,
    # which lives on, this costs some megabytes.
    gc.set_threshold(50_000)
    open_standard_streams()
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        # As Ctrl-C does, so that temporary files are removed on the way out. `up` ends in its own way.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    status = run()
    gc.freeze()
    sys.exit(status)


def open_standard_streams() -> None:
    """Opens those of stdin, stdout and stderr that are closed, to nowhere.

    Otherwise the next file or socket would become one of them, and every line that is printed would fail.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # for the whole process
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def run() -> int:
    """Runs the verb of `sys.argv` and returns the exit status; shows every expected error, raises none."""
    try:
        _check_working_folder()
        status = mlapi.main(prog_name=" ".join(program()), standalone_mode=False)
    except MlApiError as error:
        from centralized_ml_api.cli import output  # only a failure pays for rendering

        output.fail(error)
        if isinstance(error, ConfigError):
            output.next_command(command("explain", error.problems[0].id))
        return error.exit_status
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except ModuleNotFoundError as error:
        return _not_installed(error)
    except OSError as error:
        return _unwritable(error)
    return status if isinstance(status, int) else 0


def _check_working_folder() -> None:
    """Refuses to run in a folder that was removed: no path, not even that of this program, has a name there.

    Raises:
        UsageError: The working folder does not exist any more.
    """
    try:
        os.getcwd()  # noqa: PTH109  # `--help` needs no paths otherwise
    except FileNotFoundError as error:
        raise UsageError(
            "the folder that you are in was removed",
            fix="go to another one; if it was made anew, cd to its path again",
        ) from error


def _not_installed(error: ModuleNotFoundError) -> int:
    """Returns the status after the import of a module that an extra brings; raises any other error."""
    from centralized_ml_api.cli import output
    from centralized_ml_api.extras import explain_import

    explained = explain_import(error)
    if explained is None:
        raise error
    output.fail(explained)
    return explained.exit_status


def _unwritable(error: OSError) -> int:
    """Returns the status after an output that takes no more, such as a full disk; raises any other error."""
    if error.errno not in _TAKES_NO_MORE:
        raise error
    from centralized_ml_api.cli import output

    if not isinstance(error, BrokenPipeError):
        output.try_talk(f"error: cannot write: {error.strerror}")
    output.give_up_unwritable()
    return 1
