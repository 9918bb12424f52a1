"""Loads the code of the function that lets teams join: its own file, the rules of joining, and QR codes."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import centralized_ml_api

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE = Path(centralized_ml_api.__file__).parent
CODE = PACKAGE / "aws/constructs/join_code/index.py"
LISTED = "listed.json"

TIMEOUT_SECONDS = 28
"""Less than API Gateway waits. A team that joins takes a second, and more where API Gateway throttles."""

OWN_FILES = (
    "api/error_shape.py",
    "api/errors.json",
    "api/http.py",
    "api/joining.py",
    "api/qr.py",
    "aws/event/join_item.py",
    "config/team_names.py",
    "record.py",
)
"""What it imports of this package, whose packages are there without their `__init__.py`, as namespaces."""

QR_FILES = ("__init__.py", "consts.py", "encoder.py", "utils.py", "writers.py")
"""What it imports of segno, which is Python alone and needs no other package."""


def load_join_code(listed: Iterable[str]) -> dict[str, bytes]:
    """Returns the content of each file of the function, by its path, in order.

    Args:
        listed: The names of the config's teams, which nobody may join as.

    Raises:
        ImportError: A package that the function needs is missing.
    """
    files = {CODE.name: CODE.read_bytes(), LISTED: json.dumps([*listed]).encode()}
    files |= {f"{PACKAGE.name}/{name}": (PACKAGE / name).read_bytes() for name in OWN_FILES}
    segno = find_spec("segno")
    if segno is None or segno.origin is None:
        raise ImportError("segno is not installed", name="segno")  # pyproject.toml demands it
    folder = Path(segno.origin).parent
    files |= {f"segno/{name}": (folder / name).read_bytes() for name in QR_FILES}
    return dict(sorted(files.items()))
