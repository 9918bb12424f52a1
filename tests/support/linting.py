"""cfn-lint on templates, in this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.synthesis import Config, Template


def lint_template(template: Template, region: str) -> list[str]:
    """What cfn-lint says of a template and its nested ones, warnings included."""
    return lint_documents((template.document, *template.nested.values()), region)


def lint_documents(documents: Iterable[Config], region: str) -> list[str]:
    """What cfn-lint says of each of them by itself."""
    # Takes a second to import; most tests of the files that call this do without.
    from cfnlint.api import lint  # noqa: PLC0415
    from cfnlint.config import ManualArgs  # noqa: PLC0415

    config = ManualArgs(regions=[region])
    return [str(one) for document in documents for one in lint(json.dumps(document), config=config)]
