"""Asking before something costs or goes."""

from __future__ import annotations

import sys

import click

from centralized_ml_api.errors import UsageError


def confirm(question: str, *, yes: bool) -> None:
    """Returns when the user agreed.

    Raises:
        UsageError: nobody can be asked, and `--yes` was not said.
        click.Abort: the user said no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("there is nobody to ask", fix="add --yes if that is meant")
    click.confirm(question, abort=True, err=True)
