"""The reference written by hand says what the code does."""

from __future__ import annotations

import re

from centralized_ml_api.api.error_shape import ERRORS
from centralized_ml_api.cli import VERBS
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES, GATEWAY_TIMEOUT_SECONDS
from support.doc_shell import ROOT

SOURCES = ROOT / "src/centralized_ml_api"
ROW = re.compile(r"^\| (\d{3}) \| `(\w+)` \| `(\w+)` \|", re.MULTILINE)
READ_VARIABLE = re.compile(r'(?:environ|environment|inherited)(?:\.get\(|\[)"([A-Z_]+)"')
NOT_THE_USERS = {
    *(
        "DIRECT",
        "ENDPOINT_NAME",
        "EVENT_ENDS",
        "EVENT_MESSAGE",
        "KEY_IDS",
        "NAMES_TEAM",
        "OWN_TAG",
        "PATH",
        "PAUSED",
    ),
    *("PYTHONPATH", "REFUSED", "TABLE", "TEAM_TAG", "UNTIL", "WORDS"),
}
"""Variables that a function is given, and one that needs no explanation."""


def test_http_lists_exactly_the_errors_of_the_api() -> None:
    errors = {(str(error.status), error.type, error.code) for error in ERRORS.values()}
    assert set(ROW.findall((ROOT / "docs/reference/http.md").read_text())) == errors


def test_http_names_the_limits_of_the_api() -> None:
    page = (ROOT / "docs/reference/http.md").read_text()
    assert f"{BODY_LIMIT_BYTES:,} bytes" in page
    assert f"{GATEWAY_TIMEOUT_SECONDS} seconds" in page


def test_files_lists_every_environment_variable_that_is_read() -> None:
    page = (ROOT / "docs/reference/files.md").read_text()
    read = {name for file in SOURCES.rglob("*.py") for name in READ_VARIABLE.findall(file.read_text())}
    assert read - NOT_THE_USERS, "the pattern finds variables"
    assert {name for name in read - NOT_THE_USERS if f"`{name}`" not in page} == set()


def test_the_readme_lists_every_verb() -> None:
    page = (ROOT / "README.md").read_text()
    assert [verb for verb in VERBS if f"`mlapi {verb}" not in page] == []
