"""`mlapi up --https`: what openssl, curl, this program's own verbs and the organizer's screen see of it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.local_api import LocalApi, mlapi, models, odd_command, start_local_api

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    config = models(echo=odd_command()) | {"event": {"teams": ["red"]}}
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
    assert [(model["name"], model["state"]) for model in shown["models"]] == [("echo", "ready")]
    assert [team["name"] for team in shown["teams"]] == ["red"]
    assert shown["authority_fingerprint"] == api.status()["authority_fingerprint"]
    assert token not in api.output
