"""cfn-lint on templates, in this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cfnlint.api import lint
from cfnlint.config import ManualArgs

if TYPE_CHECKING:
    from support.synthesis import Template

IGNORED = ["W3005"]
"""A dependency that a reference implies already: CDK's own, for a function and its role."""


def lint_template(template: Template, region: str) -> list[str]:
    """What cfn-lint says of a template and its nested ones, warnings included."""
    found = []
    for document in (template.document, *template.nested.values()):
        arguments = ManualArgs(regions=[region], ignore_checks=IGNORED)
        found += [str(one) for one in lint(json.dumps(document), config=arguments)]
    return found
