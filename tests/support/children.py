"""The processes below this one."""

from __future__ import annotations

import contextlib

import psutil


def find_children(word: str) -> list[psutil.Process]:
    """Returns those with an argument that ends in `word`; one that ends meanwhile is none of them."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # a zombie, too
            if any(argument.endswith(word) for argument in child.cmdline()):
                found.append(child)
    return found
