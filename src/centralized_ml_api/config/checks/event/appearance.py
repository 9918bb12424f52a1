"""How the event looks on the page: its title and its logo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.logo import LOGO_BYTES, LOGO_ENDINGS, is_image
from centralized_ml_api.config.resolve import candidate_paths, is_file, resolve_folder
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check_logo(context: Context) -> Iterator[Problem]:
    logo = context.event.string("logo") if context.event else None
    if logo is None:
        return
    path = resolve_folder(logo.value, context.folders)
    if not is_image(logo.value):
        yield UNUSABLE_LOGO.problem(
            logo.location,
            found=f"{quoted(logo.value)}, which is no image that browsers show",
            expected=f"a file that ends in {listed(LOGO_ENDINGS)}",
        )
    elif not is_file(path):
        yield UNUSABLE_LOGO.problem(
            logo.location,
            found=f"{quoted(logo.value)}, which is not a file",
            expected=f"an image: {listed(map(str, candidate_paths(logo.value, context.folders)))}",
            fix="create the file, or correct the path",
        )
    elif path.stat().st_size > LOGO_BYTES:
        yield UNUSABLE_LOGO.problem(
            logo.location,
            found=f"an image of {path.stat().st_size:,} bytes",
            expected=f"at most {LOGO_BYTES:,} bytes",
            fix="make it smaller: the page shows it with a height of 40 pixels",
        )


UNUSABLE_LOGO = CheckedRule(
    id="C416",
    title="logo that the page cannot show",
    meaning="""\
`logo` is the path of an image that becomes part of the page, so everybody who opens the page fetches it: a
PNG, JPEG, WebP, GIF or SVG of 64 KiB at most. A relative path starts at the project root or, where nothing is
found there, at the config's own folder.""",
    example=Example(at="$.event", wrong='"logo": "logo.pdf"', right='"logo": "logo.png"'),
    check=_check_logo,
)

RULES = (UNUSABLE_LOGO,)
