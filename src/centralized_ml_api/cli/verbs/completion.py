"""`mlapi completion`: prints what makes a shell complete verbs, flags and files."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from centralized_ml_api.cli import output


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for bash, zsh or fish.

    For bash, put this line into ~/.bashrc: eval "$(mlapi completion bash)"

    For zsh, put this line into ~/.zshrc: eval "$(mlapi completion zsh)"

    For fish, run this once: mlapi completion fish > ~/.config/fish/completions/mlapi.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise LookupError(f"click has no completion for {shell}")
    root = context.find_root().command
    output.data(kind(root, {}, "mlapi", "_MLAPI_COMPLETE").source().rstrip("\n"))
