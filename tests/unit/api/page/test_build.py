from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from centralized_ml_api.api import page
from centralized_ml_api.api.page.build import build_join_page, build_page, list_vendored

FOLDER = Path(page.__file__).parent
VENDOR = FOLDER / "vendor"


class Parts(HTMLParser):
    """The texts of the elements `style` and `script`, and every attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = dict(attrs).get("id") or tag if tag == "script" else tag
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._inside = ""

    def handle_data(self, data: str) -> None:
        self.texts[self._inside] = self.texts.get(self._inside, "") + data


def parts(title: str | None = None, logo: str | None = None) -> Parts:
    parser = Parts()
    parser.feed(build_page(title, logo).html.decode())
    return parser


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def own_scripts() -> str:
    return "".join(path.read_text() for path in FOLDER.glob("scripts/*.js"))


def run_in_node(script: str) -> Any:
    """What a script says, as JSON."""
    node = Path(sys.executable).with_name("node")
    return json.loads(
        subprocess.run([node, "-e", script], capture_output=True, check=True, timeout=60).stdout
    )


def test_a_model_says_whether_it_sleeps_and_what_wakes_it() -> None:
    questions = """
        const health = { unready: {}, asleep: { a: "asleep", b: "waking" } };
        const state = { catalogue: { event: {} }, health };
        const said = ["a", "b", "c"].map((name) => statusOf({ name, served: true }).label);
        const hours = [{ from: "2030-06-01T08:00:00Z", to: "2030-06-01T18:00:00Z" }];
        const at = (instant) => sleepLabel(hours, Date.parse(instant)).slice(0, 12);
        said.push(at("2030-06-01T07:59:59Z"), at("2030-06-01T08:00:00Z"), at("2030-06-01T18:00:00Z"));
        state.catalogue.event.hours = [{ from: "2020-06-01T08:00:00Z", to: "2020-06-01T18:00:00Z" }];
        said.push(statusOf({ name: "a", served: true }).label);
        console.log(JSON.stringify(said));
    """
    assert run_in_node((FOLDER / "scripts/kinds.js").read_text() + questions) == [
        "asleep, wakes when called",
        "waking",
        "ready",
        "asleep until",
        "asleep, wake",
        "asleep",
        "asleep",
    ]


def test_a_key_in_the_address_is_taken_as_it_is_written() -> None:
    surroundings = """
        const taken = [];
        const kept = { setItem: (_, value) => taken.push(value), removeItem() {} };
        const [sessionStorage, localStorage] = [kept, kept];
        const location = { origin: "http://a", pathname: "/" };
        const history = { replaceState() { location.hash = ""; } };
    """
    questions = """
        for (location.hash of ["#key=mlapi_abc", "#key=mlapi%5Fabc", "#key=100%", "#key=%zz", "#shout"]) {
          takeKeyFromAddress();
          taken.push(location.hash);
        }
        console.log(JSON.stringify(taken));
    """
    script = surroundings + (FOLDER / "scripts/calls.js").read_text() + questions
    assert run_in_node(script) == ["mlapi_abc", "", "mlapi_abc", "", "100%", "", "%zz", "", "#shout"]


def test_only_its_own_style_and_script_may_run() -> None:
    (policy,) = [value or "" for name, value in parts().attributes if "default-src" in (value or "")]
    assert f"script-src {digest(parts().texts['script'])}" in policy
    assert f"style-src {digest(parts().texts['style'])}" in policy
    assert policy.startswith("default-src 'none'")
    assert "require-trusted-types-for 'script'; trusted-types dompurify" in policy
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
    without_sources = re.sub(
        r"(?m)Source: \S+|^ ?(//|\*).*$|\"http://www.w3.org/2000/svg\"", "", own_scripts()
    )
    assert not re.findall(r"https?://", without_sources)


def test_text_is_never_taken_for_markup() -> None:
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|parseFromString",
        own_scripts(),
    )
    assert own_scripts().count("DOMPurify.sanitize(") == 1


def test_every_script_and_style_is_in_a_page() -> None:
    html = (build_page().html + build_join_page().html).decode()
    files = [*FOLDER.glob("scripts/*.js"), *FOLDER.glob("styles/*.css")]
    assert len(files) > 20
    assert not [path.name for path in files if path.read_text() not in html]


def test_vendored_files_are_what_their_publishers_released() -> None:
    listed = {name: digest for package in list_vendored() for name, digest in package["files"].items()}
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.glob("*.js")}
    assert listed == there
    html = build_page().html.decode()
    assert not [name for name in listed if (VENDOR / name).read_text() not in html]


def test_every_library_has_its_version_its_licence_and_the_hash_of_its_package() -> None:
    for package in list_vendored():
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package["integrity"])
        assert package["licence"] in {"MIT", "MPL-2.0 OR Apache-2.0"}
        assert "opyright" in (VENDOR / "licences" / f"{package['name']}.txt").read_text()


@pytest.mark.parametrize(
    "title", [None, "Spring Hack", "</script><script>alert(1)</script>", "<!-- /* SCRIPT */ POLICY"]
)
def test_the_event_is_in_the_page_as_data(title: str | None) -> None:
    found = parts(title, "data:image/png;base64,AA==")
    assert json.loads(found.texts["event"]) == {"title": title, "logo": "data:image/png;base64,AA=="}
    assert found.texts["script"] == parts().texts["script"]


@pytest.mark.parametrize("title", [None, "</script><script>alert(1)</script>", "<!-- /* SCRIPT */ POLICY"])
def test_the_page_of_joining_has_a_policy_of_its_own_that_allows_no_markup(title: str | None) -> None:
    found = Parts()
    found.feed(build_join_page(title, "data:image/png;base64,AA==").html.decode())
    (policy,) = [value or "" for name, value in found.attributes if "default-src" in (value or "")]
    assert f"script-src {digest(found.texts['script'])}" in policy
    assert f"style-src {digest(found.texts['style'])}" in policy
    assert "connect-src 'self'" in policy
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "unsafe" not in policy
    assert json.loads(found.texts["event"]) == {"title": title, "logo": "data:image/png;base64,AA=="}
    assert not [name for name, _ in found.attributes if name == "style" or name.startswith("on")]
    assert dict(build_join_page().headers)["referrer-policy"] == "no-referrer"


def test_the_page_knows_whether_teams_may_join() -> None:
    found = Parts()
    found.feed(build_page(joins=True).html.decode())
    assert json.loads(found.texts["event"])["joins"] is True


def test_the_page_of_joining_knows_when_the_event_is() -> None:
    for times in ({"ends": "2030-06-01T18:00:00Z"}, {"starts": "2030-06-01T08:00:00Z"}):
        found = Parts()
        found.feed(build_join_page("Hack", **times).html.decode())
        assert json.loads(found.texts["event"]) == {"title": "Hack", "logo": None, **times}


def test_the_page_stays_small() -> None:
    assert len(build_join_page().html) < 60_000
    assert len(build_page().html) < 280_000


def test_the_same_event_has_the_same_page() -> None:
    assert build_page("a") is build_page("a")


def test_of_an_own_authority_the_page_has_the_fingerprint_and_the_lines_that_trust_it() -> None:
    for built in (build_page("Hack", None, "AB:CD"), build_join_page("Hack", None, "AB:CD")):
        event = json.loads(built.html.decode().partition('id="event">')[2].partition("</script>")[0])
        assert event["authority"] == "AB:CD"
        assert "--output mlapi-ca.pem <<authority:shell>>\n" in event["trust"]
        assert "# It must be AB:CD\n" in event["trust"]
    assert b'"trust"' not in build_page("Hack").html
