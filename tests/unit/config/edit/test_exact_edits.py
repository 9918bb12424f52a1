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
        ("f.json", '{"event": null}', f'{{"event": {{"ends": "{ENDS}"}}}}'),
        ("f.json", '{"event": { /* none */ }}', f'{{"event": {{ /* none */ "ends": "{ENDS}"}}}}'),
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
    ],
)
def test_the_end_is_written(file: str, before: str, after: str) -> None:
    assert set_value(read(before, file), ("event", "ends"), ENDS) == after


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


@pytest.mark.parametrize(
    ("file", "text", "path", "value"),
    [
        ("f.yaml", "event: |+\n  text\n\n", ("event", "ends"), ENDS),
        ("f.json", '{"event": 3}', ("event", "ends"), ENDS),
        ("f.json", '{"models": {"a": 1}}', ("models", 1), WHISPER),
        ("f.yaml", "a: 1\n", ("b",), "a\x7f"),
    ],
)
def test_what_cannot_be_edited_is_refused_with_what_to_write(
    file: str, text: str, path: tuple[str | int, ...], value: Any
) -> None:
    with pytest.raises(UsageError, match=rf"{file} is written in a way .* on line 1") as refused:
        set_value(read(text, file), path, value)
    assert refused.value.fix.startswith("set $.")


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
