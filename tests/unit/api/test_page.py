from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

from centralized_ml_api.api import page
from centralized_ml_api.api.page import build_page

FOLDER = Path(page.__file__).parent


class Parts(HTMLParser):
    """The texts of the elements `style` and `script`, and every attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._inside = ""

    def handle_data(self, data: str) -> None:
        self.texts[self._inside] = self.texts.get(self._inside, "") + data


def parts() -> Parts:
    parser = Parts()
    parser.feed(build_page().html.decode())
    return parser


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_only_its_own_style_and_script_may_run() -> None:
    (policy,) = [value or "" for name, value in parts().attributes if "default-src" in (value or "")]
    assert f"script-src {digest(parts().texts['script'])}" in policy
    assert f"style-src {digest(parts().texts['style'])}" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_the_policy_comes_before_all_that_it_is_about() -> None:
    head = build_page().html.decode().partition("<style>")[0]
    assert '<meta http-equiv="Content-Security-Policy"' in head
    assert "<script" not in head


def test_no_page_may_put_it_into_a_frame() -> None:
    assert dict(build_page().headers)["x-frame-options"] == "DENY"


def test_no_element_carries_a_script_or_a_style_that_the_policy_would_refuse() -> None:
    assert not [name for name, _ in parts().attributes if name == "style" or name.startswith("on")]


def test_it_asks_no_other_host() -> None:
    sources = [value or "" for name, value in parts().attributes if name in {"href", "src"}]
    assert sources
    assert not [value for value in sources if re.match(r"(https?:)?//", value)]
    assert not re.findall(r"https?://", re.sub(r"(?m)Source: \S+|^ ?(//|\*).*$", "", parts().texts["script"]))


def test_text_is_never_taken_for_markup() -> None:
    scripts = "".join(path.read_text() for path in FOLDER.glob("scripts/*.js"))
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", scripts
    )


def test_every_script_is_in_the_page() -> None:
    html = build_page().html.decode()
    scripts = list(FOLDER.glob("scripts/*.js"))
    assert scripts
    assert not [path.name for path in scripts if path.read_text() not in html]


def test_the_page_is_the_same_for_everyone() -> None:
    assert build_page() is build_page()
    assert "{{" not in build_page().html.decode()
