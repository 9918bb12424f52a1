"""Rules and fields -> the pages of the reference, and what `mlapi explain` prints. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.registry import RULES

if TYPE_CHECKING:
    from centralized_ml_api.config.rule import Rule

_FAMILIES = {
    "C0": "The file: its text, and the shape of its values",
    "C1": "Models and names",
    "C2": "Integration and functions",
    "C3": "Serving on one machine",
    "C4": "The event: who may call, how much and until when",
    "C5": "Models of the JumpStart catalogue, checked when they are looked up",
    "C6": "The account on AWS, and what a company demands of it",
    "C7": "AWS's limits, checked when the config is planned for AWS",
    "C8": "Models that somebody else hosts",
}


def render_rule(rule: Rule) -> str:
    """Returns the page of one rule, as Markdown that reads well on a terminal too."""
    kind = "This is a warning: it stops nothing." if rule.severity == "warning" else ""
    parts = [f"## {rule.id}: {rule.title}", kind, rule.meaning, *_example(rule)]
    return "\n\n".join(part for part in parts if part) + "\n"


def render_errors_reference() -> str:
    """Returns the pages of all rules, by family."""
    families = [_render_family(prefix, title) for prefix, title in _FAMILIES.items()]
    return "\n".join([_ERRORS_HEAD, *families])


def _render_family(prefix: str, title: str) -> str:
    pages = [render_rule(rule).replace("## ", "### ", 1) for rule in RULES if rule.id.startswith(prefix)]
    return "\n".join([f"## {title}\n", *pages])


def _example(rule: Rule) -> list[str]:
    example = rule.example
    where = f" (in `{example.at}`)" if example.at else ""
    fence = {".json": "json", ".yaml": "yaml"}.get(example.suffix, "text")
    return [
        f"Wrong{where}:",
        f"```{fence}\n{_short(example.wrong)}\n```",
        "Right:",
        f"```{fence}\n{_short(example.right)}\n```",
    ]


def _short(text: str, longest: int = 200) -> str:
    return text if len(text) <= longest else f"{text[:40]}…"


_ERRORS_HEAD = """\
<!-- Generated from the rules in src/centralized_ml_api/config by `make docs`. -->

# What can be wrong with a config

Every problem has an id, which never changes its meaning. `mlapi explain C102` prints the page of one.
Errors end a command with exit status 2, before anything is started or deployed; warnings stop nothing.
"""
