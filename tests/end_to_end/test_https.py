"""`mlapi up --https`: what openssl, curl, this program's own verbs and the organizer's screen see of it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.browser import PHONE, run_browser, start_visit
from support.local_api import LocalApi, mlapi, models, odd_command, start_local_api

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    talks = odd_command("/chat", speaks="openai-chat")
    config = models(echo=odd_command(), talks=talks) | {"event": {"teams": ["red"], "join": {"teams": 2}}}
    config["models"][0]["sample"] = {"a": 1}
    with start_local_api(tmp_path_factory.mktemp("https"), config, "--host", "0.0.0.0", "--https") as served:
        yield served.wait_serving()


def authority(api: LocalApi) -> Path:
    return api.folder / ".mlapi" / "https" / "ca.pem"


def port(api: LocalApi) -> str:
    return api.url.rpartition(":")[2]


def curl(*arguments: str) -> tuple[int, str]:
    """Its exit status, and the answer with its headers."""
    done = subprocess.run(
        ["curl", "--silent", "--include", "--max-time", "30", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def handshake(api: LocalApi, version: str) -> str:
    """What openssl says of a handshake by that version alone, even if it would not use it by itself."""
    address = f"127.0.0.1:{port(api)}"
    trust = ("-CAfile", str(authority(api)), "-verify_return_error", "-verify_ip", "127.0.0.1")
    done = subprocess.run(
        ["openssl", "s_client", "-connect", address, version, "-cipher", "DEFAULT@SECLEVEL=0", *trust],
        input="",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.slow
def test_openssl_gets_in_by_tls_1_2_and_1_3_alone(api: LocalApi) -> None:
    for version, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        said = handshake(api, version)
        assert f"New, {name}" in said
        assert "Verify return code: 0 (ok)" in said
    assert "alert protocol version" in handshake(api, "-tls1_1")


@pytest.mark.slow
def test_curl_trusts_it_by_the_authority_alone(api: LocalApi) -> None:
    assert api.url.startswith("https://127.0.0.1:")
    failed_verification = 60
    assert curl(f"{api.url}/health")[0] == failed_verification
    for name in ("127.0.0.1", "localhost"):
        status, answer = curl("--cacert", str(authority(api)), f"https://{name}:{port(api)}/health")
        assert (status, answer.splitlines()[0]) == (0, "HTTP/1.1 200 OK")


@pytest.mark.slow
def test_plain_http_redirects_browsers_and_refuses_keys_and_calls(api: LocalApi) -> None:
    plain = f"http://127.0.0.1:{port(api)}"
    _, redirected = curl(f"{plain}/?a=1")
    assert redirected.splitlines()[0] == "HTTP/1.1 307 Temporary Redirect"
    assert f"location: {api.url}/?a=1" in redirected.splitlines()
    for refused in (
        ("-H", "x-api-key: k", f"{plain}/models"),
        ("-H", "Authorization: Bearer k", f"{plain}/v1/models"),
        ("--data", "{}", f"{plain}/echo"),
        ("-X", "OPTIONS", f"{plain}/echo"),
    ):
        _, answer = curl(*refused)
        headers, _, body = answer.partition("\n\n")
        assert headers.splitlines()[0] == "HTTP/1.1 403 Forbidden"
        assert json.loads(body)["error"]["message"].startswith(
            "This API is served over HTTPS: write https://"
        )


@pytest.mark.slow
def test_plain_http_gives_the_authority_that_up_names_by_its_fingerprint(api: LocalApi) -> None:
    _, answer = curl(f"http://127.0.0.1:{port(api)}/ca.pem")
    headers, _, body = answer.partition("\n\n")
    assert "content-type: application/x-x509-ca-cert" in headers.splitlines()
    assert body == authority(api).read_text()
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
        input=body,
        capture_output=True,
        text=True,
        check=True,
    )
    fingerprint = shown.stdout.strip().partition("=")[2]
    assert f"Its SHA-256 fingerprint: {fingerprint}" in api.output
    assert api.status()["authority_fingerprint"] == fingerprint


@pytest.mark.slow
def test_the_verbs_that_call_the_api_know_its_certificate(api: LocalApi) -> None:
    called = mlapi("call", "echo", cwd=api.folder)
    assert (called.status, json.loads(called.out)["path"]) == (0, "/echo")
    shown = mlapi("clients", "echo", cwd=api.folder)
    assert shown.status == 0
    assert api.status()["authority_fingerprint"] in shown.out
    exported = mlapi("keys", "export", cwd=api.folder)
    assert exported.status == 0
    assert api.status()["authority_fingerprint"] in (api.folder / "keys" / "red.env").read_text()


@pytest.mark.slow
def test_the_organizers_screen_is_on_loopback_and_no_part_of_the_api(api: LocalApi) -> None:
    key = mlapi("keys", "--show", "red", cwd=api.folder).out.strip()
    trusted = ("--cacert", str(authority(api)), "--header", f"x-api-key: {key}")
    assert curl(*trusted, "--data", "{}", f"{api.url}/echo")[1].startswith("HTTP/1.1 200")
    assert curl(*trusted, f"{api.url}/board.json")[1].startswith("HTTP/1.1 404")
    address, _, token = mlapi("board", cwd=api.folder).out.strip().partition("/#token=")
    assert address.startswith("http://127.0.0.1:")
    assert curl(f"{address}/board.json")[1].startswith("HTTP/1.1 401")
    _, answer = curl("--header", f"Authorization: Bearer {token}", f"{address}/board.json")
    shown = json.loads(answer.partition("\n\n")[2])
    assert [(model["name"], model["state"]) for model in shown["models"]] == [
        ("echo", "ready"),
        ("talks", "ready"),
    ]
    assert [team["name"] for team in shown["teams"]] == ["red"]
    fingerprint, port_number = api.status()["authority_fingerprint"], port(api)
    assert shown["authority"]["fingerprint"] == fingerprint
    assert shown["authority"]["link"].startswith("http://")
    assert shown["authority"]["link"].endswith(f":{port_number}/ca.pem")
    assert token not in api.output


@pytest.mark.slow
def test_a_browser_that_goes_on_joins_and_is_told_how_programs_trust_the_api(
    api: LocalApi, tmp_path: Path
) -> None:
    fingerprint = api.status()["authority_fingerprint"]
    code = json.loads(mlapi("join", "--json", cwd=api.folder).out)["code"]
    with run_browser() as browser:
        visit = start_visit(browser, api.url, ignore_https_errors=True, viewport=PHONE)
        page = visit.page

        def check_screen() -> None:
            assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
            assert visit.find_serious_faults() == []

        page.get_by_text(fingerprint).wait_for()  # at the door
        check_screen()
        page.goto(f"http://127.0.0.1:{port(api)}/join#code={code}")
        page.get_by_text(fingerprint).wait_for()
        assert page.evaluate("location.protocol + isSecureContext") == "https:true", "it may record sound"
        check_screen()
        page.get_by_label("Name of your team").fill("Night Owls")
        page.keyboard.press("Enter")
        key = page.get_by_label("Your key").inner_text()
        trust = page.locator("#programs code").first.inner_text()
        check_screen()
        page.get_by_role("link", name="Open the page").click()
        visit.show("talks")
        visit.open_code()
        assert page.get_by_role("complementary").locator("code").first.inner_text() == trust
        visit.end()
    assert f"# It must be {fingerprint}\n" in trust
    calls = f'curl --silent --write-out "%{{http_code}}" --header "x-api-key: {key}" {api.url}/v1/models'
    done = subprocess.run(
        ["bash", "-euc", f"{trust}\n{calls}"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},  # with no other authorities, which some machines name for curl
        capture_output=True,
        text=True,
        check=True,
    )
    assert fingerprint in done.stdout.splitlines()[0]
    assert done.stdout.endswith("200")
