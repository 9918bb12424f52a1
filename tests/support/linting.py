"""cfn-lint on templates, in this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cfnlint.api import lint
from cfnlint.config import ManualArgs

if TYPE_CHECKING:
    from support.synthesis import Template


def lint_template(template: Template, region: str) -> list[str]:
    """What cfn-lint says of a template and its nested ones, warnings included."""
    found = []
    for document in (template.document, *template.nested.values()):
        found += [str(one) for one in lint(json.dumps(document), config=ManualArgs(regions=[region]))]
    return found
