# ruff: noqa: INP001  # a script, not a package
"""Writes the generated parts of the documentation; with `--check`, only lists those that are stale.

Run `python -m docs.generate` in the root of the repository, where it also finds the measurements.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.page import PAGE, render_drawings, render_page, render_quote
from docs.rooms import DRAWING, SOURCE_MAP, render_rooms, render_source_map, render_tree

from centralized_ml_api.aws.failures.failure import TROUBLESHOOTING
from centralized_ml_api.aws.failures.reference import render_entries
from centralized_ml_api.aws.planning.limits import render_limits
from centralized_ml_api.cli.reference import render_cli_reference
from centralized_ml_api.config.explain import render_errors_reference
from centralized_ml_api.config.json_schema import render_schema
from centralized_ml_api.config.reference import render_config_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parent.parent

QUOTE = re.compile(r"(?<= -->\n).*?(?=<!-- end -->)", re.DOTALL)
"""The generated part of a page, between `<!-- generated: … -->` and `<!-- end -->`."""


def fill(page: str, part: str) -> str:
    """Returns a page of the root with its generated part replaced."""
    before, mark, after = (ROOT / page).read_text(encoding="utf-8").partition("<!-- generated:")
    return before + mark + QUOTE.sub(lambda _: part, after, count=1)


def render_failures() -> str:
    """Renders the page of what AWS says, with an entry for each failure that has none written by hand."""
    page = (ROOT / TROUBLESHOOTING).read_text(encoding="utf-8")
    written = re.findall(r"^## (.+)$", QUOTE.sub("", page, count=1), re.MULTILINE)
    return fill(TROUBLESHOOTING, render_entries(written))


LIMITS_PAGE = "docs/explanation/aws-limits.md"

GENERATED: dict[str, Callable[[], str]] = {
    "docs/reference/cli.md": render_cli_reference,
    "docs/reference/config.md": render_config_reference,
    "docs/reference/errors.md": render_errors_reference,
    "src/centralized_ml_api/config/models.schema.json": render_schema,
    "README.md": lambda: fill("README.md", render_quote()),
    TROUBLESHOOTING: render_failures,
    LIMITS_PAGE: lambda: fill(LIMITS_PAGE, render_limits()),
    "CONTRIBUTING.md": lambda: fill("CONTRIBUTING.md", render_tree()),
    PAGE: render_page,
    DRAWING: render_rooms,
    SOURCE_MAP: render_source_map,
    **render_drawings(),
}
"""The generated files: functions that render their content, by path in the repository."""


def stale_files(root: Path = ROOT) -> list[str]:
    """Returns the files that differ from what would be generated now."""
    return [path for path, render in GENERATED.items() if _content(root / path) != render()]


def write_files(paths: Sequence[str], root: Path = ROOT) -> None:
    """Generates these files."""
    for path in paths:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(GENERATED[path](), encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 1 if `--check` finds stale files."""
    stale = stale_files()
    if "--check" in arguments:
        for path in stale:
            sys.stderr.write(f"{path} is stale: run `make docs`\n")
        return 1 if stale else 0
    write_files(stale)
    sys.stderr.write("".join(f"wrote {path}\n" for path in stale) or "everything is up to date\n")
    return 0


def _content(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
