"""What a config says in its own words is data: CloudFormation and the CDK resolve nothing in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.synthesis import build_test_plan, function, model, synthesize

if TYPE_CHECKING:
    from pathlib import Path

WORDS = "{{resolve:ssm-secure:/prod/secret}} ${AWS::AccountId} ${Token[TOKEN.7]} $util.error() <b>"
"""A dynamic reference, a substitution, a token of the CDK, a call of the template language, markup.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""


def test_words_of_a_config_are_in_no_template_but_in_what_callers_read(tmp_path: Path) -> None:
    said: dict[str, Any] = {"description": WORDS, "sample": {"text_inputs": WORDS}}
    entries = [model(**said, integration=function()), model(name="direct", **said)]
    synthesize(build_test_plan({"models": entries}, tmp_path), tmp_path / "out")
    written = {path.name: path.read_text() for path in (tmp_path / "out").glob("*.json")}
    templates = {name: text for name, text in written.items() if ".template." in name}
    assert templates
    wicked = ("resolve:ssm", "Token[TOKEN.7]", "$util.error()")
    assert [(name, item) for name, text in templates.items() for item in wicked if item in text] == []
    documents = "".join(text for name, text in written.items() if name.startswith("asset."))
    assert [item for item in wicked if item not in documents] == [], "to the letter"
