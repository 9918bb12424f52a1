"""Edits look as if the writer of the file had made them."""

from __future__ import annotations

from typing import Any

import pytest

from centralized_ml_api.config.document import Document, SourceText
from centralized_ml_api.config.document.load import read_document
from centralized_ml_api.config.edit import add_entry, set_value
from centralized_ml_api.errors import ConfigError, UsageError

ENDS = "2030-06-01T18:00:00Z"
WHISPER = {"name": "whisper", "integration": {"type": "api"}}
LONG = {
    "name": "chat",
    "model_id": "huggingface-textgeneration-open-llama",
    "integration": {
        "type": "lambda",
        "properties": {"code": "functions/example_function", "permissions": ["sagemaker:InvokeEndpoint"]},
    },
}


def read(text: str, file: str) -> Document:
    return read_document(SourceText(file, text))


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("f.json", '{"event": {"ends": "x" /* b */}}', f'{{"event": {{"ends": "{ENDS}" /* b */}}}}'),
        (
            "f.json",
            '{\n\t"models": [],\n\t"event": { "burst": 1, } // c\n}\n',
            f'{{\n\t"models": [],\n\t"event": {{ "burst": 1, "ends": "{ENDS}", }} // c\n}}\n',
        ),
        (
            "f.json",
            '{\n  "models": [] // one\n  // two\n}',
            f'{{\n  "models": [], // one\n  // two\n  "event": {{"ends": "{ENDS}"}}\n}}',
        ),
        (
            "f.json",
            '{"event": { "burst": 1 /* b */, }}',
            f'{{"event": {{ "burst": 1 /* b */, "ends": "{ENDS}", }}}}',
        ),
        ("f.json", '{"event": null}', f'{{"event": {{"ends": "{ENDS}"}}}}'),
        ("f.json", '{"event": { /* none */ }}', f'{{"event": {{ /* none */ "ends": "{ENDS}"}}}}'),
        (
            "f.json",
            '{\n  "event": {\n    "burst": 1, // b\n  },\n}\n',
            f'{{\n  "event": {{\n    "burst": 1, // b\n    "ends": "{ENDS}",\n  }},\n}}\n',
        ),
        (
            "f.json",
            '{\n    "event": {\n        // none yet\n    }\n}\n',
            f'{{\n    "event": {{\n        // none yet\n        "ends": "{ENDS}"\n    }}\n}}\n',
        ),
        ("f.yaml", "event:\n  ends: 2026 # c\n", f"event:\n  ends: {ENDS} # c\n"),
        ("f.yaml", "event:\n  ends: '2026'\n", f"event:\n  ends: '{ENDS}'\n"),
        (
            "f.yaml",
            "event:\n  ends: |-\n    2026\n\nmodels: []\n",
            f'event:\n  ends: "{ENDS}"\nmodels: []\n',
        ),
        ("f.yaml", "event: # c\n\n# d\n", f'event: # c\n  ends: "{ENDS}"\n\n# d\n'),
        ("f.yaml", "event: {} # c", f'event: {{"ends": "{ENDS}"}} # c'),
        (
            "f.yaml",
            "event:\r\n    burst: 1 # c\r\nmodels: []\r\n",
            f'event:\r\n    burst: 1 # c\r\n    ends: "{ENDS}"\r\nmodels: []\r\n',
        ),
        ("f.yaml", "event: {burst: 1}\n", f'event: {{burst: 1, "ends": "{ENDS}"}}\n'),
        ("f.yaml", "models: []\n...\n", f'models: []\nevent:\n  ends: "{ENDS}"\n...\n'),
        ("f.yaml", "models: [] # no end", f'models: [] # no end\nevent:\n  ends: "{ENDS}"\n'),
        ("f.yaml", "models: []\n\n# the end\n", f'models: []\n\n# the end\nevent:\n  ends: "{ENDS}"\n'),
    ],
)
def test_the_end_is_written(file: str, before: str, after: str) -> None:
    assert set_value(read(before, file), ("event", "ends"), ENDS) == after


def test_what_is_written_below_an_empty_key_is_one_step_deeper() -> None:
    before = "event:\n  join:\n  burst: 1\nmodels: []\n"
    after = f'event:\n  join:\n    until: "{ENDS}"\n  burst: 1\nmodels: []\n'
    assert set_value(read(before, "f.yaml"), ("event", "join", "until"), ENDS) == after


def test_a_member_is_added_to_an_object_that_is_there_however_deep() -> None:
    before = '{"event": {"join": {"teams": 3}}}'
    after = f'{{"event": {{"join": {{"teams": 3, "until": "{ENDS}"}}}}}}'
    assert set_value(read(before, "f.json"), ("event", "join", "until"), ENDS) == after


@pytest.mark.parametrize("text", ["2030", "true", "null", "[a]"])
def test_a_text_that_would_mean_something_else_without_quotes_gets_them(text: str) -> None:
    after = set_value(read("event:\n  title: Spring # c\n", "f.yaml"), ("event", "title"), text)
    assert after == f'event:\n  title: "{text}" # c\n'


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        (
            "f.json",
            '{\n  "models": [\n    {"name": "a"} // one\n  ]\n}',
            (
                '{\n  "models": [\n    {"name": "a"}, // one\n    {\n      "name": "whisper",\n'
                '      "integration": {"type": "api"}\n    }\n  ]\n}'
            ),
        ),
        (
            "f.yaml",
            "models:\n- name: a # one\n\nendpoints: []\n",
            "models:\n- name: a # one\n- name: whisper\n  integration:\n    type: api\n\nendpoints: []\n",
        ),
        (
            "f.yaml",
            "models: []\nendpoints: []\n",
            "models:\n  - name: whisper\n    integration:\n      type: api\nendpoints: []\n",
        ),
    ],
)
def test_an_entry_is_added_below_the_others(file: str, before: str, after: str) -> None:
    assert add_entry(read(before, file), WHISPER) == after


@pytest.mark.parametrize("unit", ["\t", "  ", "    "])
@pytest.mark.parametrize("items", [[], ['{"name": "a"}']])
def test_an_entry_is_indented_as_the_file_is(unit: str, items: list[str]) -> None:
    first = "".join(f"\n{unit * 2}{item}" for item in items)
    models = f"[{first}\n{unit}]" if items else "[]"
    before = f'{{\n{unit}"models": {models},\n{unit}"endpoints": []\n}}\n'
    assert add_entry(read(before, "f.json"), WHISPER) == (
        f'{{\n{unit}"models": [{first}{"," if items else ""}\n'
        f"{unit * 2}{{\n"
        f'{unit * 3}"name": "whisper",\n'
        f'{unit * 3}"integration": {{"type": "api"}}\n'
        f"{unit * 2}}}\n"
        f'{unit}],\n{unit}"endpoints": []\n}}\n'
    )


SHAPES = (
    '{\n\t"models": []\n}\n',
    '{\n\t"models": [\n\t]\n}\n',
    '{\n\t"models": [ ]\n}\n',
    '// a comment\n{\n\t// another\n\t"models": []\n}\n',
    '{\n\t"endpoints": []\n}\n',
    '{\n\t"endpoints": [\n\t\t{\n\t\t\t"name": "a"\n\t\t}\n\t],\n\t"models": []\n}\n',
    '{ "endpoints": [],\n\t"models": [] }\n',
    '{ "models": [\n\t\t{\n\t\t\t"name": "a"\n\t\t}\n\t] }\n',
    '{"models": [\n\t{"name": "a"}\n]}\n',
    '{"event": {\n\t"burst": 1\n}, "models": []}\n',
    '{"event": {\n\t"teams": []\n\t}}\n',
)
"""Files that are indented by tabs, or by as many blanks each."""
TEAMS = [{"name": "a" * 40, "models": ["x" * 30, "y" * 30]}, {"name": "b" * 40}]


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
@pytest.mark.parametrize("unit", ["\t", "    "])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_edit_mixes_tabs_and_blanks_or_line_breaks(shape: str, unit: str, line_break: str) -> None:
    before = shape.replace("\t", unit).replace("\n", line_break)
    document = read(before, "f.json")
    for after in (add_entry(document, LONG), set_value(document, ("event", "teams"), TEAMS)):
        assert after.count("\n") == after.count(line_break)
        lines = after.splitlines()
        indents = {line[: len(line) - len(line.lstrip())] for line in lines}
        assert indents == {unit * (len(indent) // len(unit)) for indent in indents}


def test_a_step_is_what_all_indentations_are_multiples_of() -> None:
    before = '{"models": [\n        {\n            "name": "a"\n        }\n    ]}\n'
    assert '\n        {\n            "name": "whisper"' in add_entry(read(before, "f.json"), WHISPER)


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "before",
    [
        "models: []\n",
        "models:\n",
        "models: [\n\t]\n",
        "models:\n- name: a\n",
        'models: [\n\t{"name": "a"}\n]\n',
    ],
)
def test_yaml_gets_no_tab_in_a_block_and_keeps_its_line_breaks(before: str, line_break: str) -> None:
    document = read(before.replace("\n", line_break), "f.yaml")
    after = add_entry(document, LONG)
    assert after.count("\n") == after.count(line_break)
    value = read(after, "f.yaml").value
    assert isinstance(value, dict)
    assert value["models"][-1] == LONG
    assert "\t" in before or "\t" not in after


@pytest.mark.parametrize(
    ("file", "text", "path", "value"),
    [
        ("f.yaml", "event: |+\n  text\n\n", ("event", "ends"), ENDS),
        ("f.json", '{"event": 3}', ("event", "ends"), ENDS),
        ("f.json", '{"models": {"a": 1}}', ("models", 1), WHISPER),
        ("f.yaml", "a: 1\n", ("b",), "a\x7f"),
        ("f.json", '{"models": [1]}', ("models", "x", "y"), 1),
    ],
)
def test_what_cannot_be_edited_is_refused_with_what_to_write(
    file: str, text: str, path: tuple[str | int, ...], value: Any
) -> None:
    with pytest.raises(UsageError, match=rf"{file} is written in a way .* on line 1") as refused:
        set_value(read(text, file), path, value)
    assert refused.value.fix.startswith("set $.")


def test_a_key_of_a_block_without_a_value_is_refused() -> None:
    with pytest.raises(UsageError, match=r"cannot be edited safely, on line 2"):
        set_value(read("event:\n  ends:\n", "f.yaml"), ("event", "ends"), ENDS)


def test_a_file_with_a_key_twice_is_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        set_value(read('{"event": {}, "event": {}}', "f.json"), ("event", "ends"), ENDS)
    assert [problem.id for problem in refused.value.problems] == ["C006"]


def test_long_values_in_yaml_are_lists_below_their_keys() -> None:
    entry = {"name": "no", "instances": ["ml.g5.xlarge", "3"], "sample": {"a": [[1], {}], "b: c": "é\n"}}
    text = add_entry(read("models:\n  - name: a\n", "f.yaml"), entry)
    assert text == (
        "models:\n  - name: a\n"
        '  - name: "no"\n'
        "    instances:\n"
        "      - ml.g5.xlarge\n"
        '      - "3"\n'
        "    sample:\n"
        "      a:\n"
        "        - - 1\n"
        "        - {}\n"
        '      "b: c": "é\\n"\n'
    )
