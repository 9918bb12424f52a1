"""Nothing that git keeps is a key: not one of ours, of AWS, of a model hub, nor a private one."""

from __future__ import annotations

import re
import subprocess

import pytest

from centralized_ml_api.api.keys import PATTERN, is_key, new_key
from support.doc_shell import ROOT

OURS = re.compile(PATTERN)
OTHERS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bhf_[A-Za-z]{34}\b|\bgh[pousr]_[0-9A-Za-z]{36}\b"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
STARTS = ("AKIA", "ASIA", "hf_", *(f"gh{kind}_" for kind in "pousr"), "-----BEGIN ")
"""One of these is in whatever `OTHERS` finds; in megabytes they are found in a fraction of its time."""

EXAMPLE = "EXAMPLE"
"""AWS's own example keys have this at their end."""


def committed_files() -> list[str]:
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=False)
    return [name for name in listed.stdout.decode().split("\0") if name]


def find_keys(text: str) -> list[str]:
    ours = [key for key in OURS.findall(text) if is_key(key)]
    others = OTHERS.findall(text) if any(start in text for start in STARTS) else []
    return ours + [key for key in others if not key.endswith(EXAMPLE)]


def test_no_key_is_committed() -> None:
    files = [ROOT / name for name in committed_files()]
    if not files:
        pytest.skip("not a git working copy")
    texts = ((file, file.read_text(errors="replace")) for file in files if file.is_file())
    assert [(file.name, keys) for file, text in texts if (keys := find_keys(text))] == []


OTHER_KEYS = [
    *(start + "A1" * 8 for start in ("AKIA", "ASIA")),
    *("hf_" + "a" * 34, "-----BEGIN " + "PRIVATE KEY-----", "-----BEGIN RSA " + "PRIVATE KEY-----"),
    *(f"gh{kind}_" + "a" * 36 for kind in "pousr"),
]


def test_a_key_would_be_found() -> None:
    for key in (new_key(), *OTHER_KEYS):
        assert find_keys(f"key: '{key}',") == [key]


def test_what_holds_keys_is_not_for_git() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {".mlapi/", "/keys/", "*.env"} <= set(ignored)
