"""`mlapi clients` against an API that is only its list and its catalogue."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.openai import ListedModel, build_model_list
from centralized_ml_api.cli.request import Api
from centralized_ml_api.cli.verbs.clients import Caller, Choice, render
from centralized_ml_api.local.keys import KeyStore
from centralized_ml_api.local.keys.record import list_teams
from support.loopback import LoopbackServer
from support.verbs import mlapi

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CHAT = ListedModel("chat", routes=("/v1/chat/completions", "/v1/responses", "/v1/messages"))
ALIAS = ListedModel("gpt-4o-mini", routes=("/v1/chat/completions",), root="chat")
EMBED = ListedModel("embed", routes=("/v1/embeddings",))
OWN = {"path": "/words", "takes": "text/plain", "gives": None, "sample_file": None, "sample": 'it\'s "so"'}
CATALOGUE = [{"name": "words", **OWN}, {"name": "pixels", **OWN, "sample": None}]


class Listing(BaseHTTPRequestHandler):
    """Answers each caller with what its key may call; the key None is nobody's."""

    lists: Mapping[str | None, list[ListedModel]]

    def do_GET(self) -> None:
        key = (self.headers["x-api-key"] or None) if None not in self.lists else None
        status, answer = 401, dict[str, Any]({"error": {"message": "no key"}})
        if key in self.lists:
            status, answer = 200, build_model_list(self.lists[key])
            if self.path == "/models":
                answer = {"models": CATALOGUE}
            elif not answer["data"]:
                status = 404
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def open_api() -> Iterator[str]:
    """The address of an API without teams."""
    with LoopbackServer(type("Open", (Listing,), {"lists": {None: [CHAT, EMBED, ALIAS]}})) as server:
        yield server.url


@pytest.fixture
def team_api(tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """The address of an API with two teams, of which only the second may embed, and their keys."""
    (tmp_path / ".mlapi").mkdir(mode=0o700)
    records = KeyStore(tmp_path / ".mlapi").change(lambda _: list_teams((), ("red", "blue")))
    red, blue = (record.key or "" for record in records)
    with LoopbackServer(type("Teams", (Listing,), {"lists": {red: [CHAT], blue: [CHAT, EMBED]}})) as server:
        yield server.url, red, blue


def list_clients(*words: str, cwd: Path) -> Any:
    """Returns what the verb prints for scripts."""
    ran = mlapi("clients", *words, "--json", cwd=cwd)
    assert ran.status == 0, ran.talk
    return json.loads(ran.out)


def test_without_teams_every_client_of_the_first_model_is_listed(open_api: str, tmp_path: Path) -> None:
    shown = list_clients("--url", open_api, cwd=tmp_path)
    assert (shown["address"], shown["model"], shown["team"], shown["key"]) == (open_api, "chat", None, "none")
    assert [client["id"] for client in shown["clients"]] == [
        *(
            "curl",
            "openai-python",
            "openai-node",
            "anthropic-python",
            "anthropic-node",
            "claude-code",
            "codex",
        ),
        *("opencode", "continue", "langchain", "llama-index", "ai-sdk", "litellm", "box"),
    ]
    assert shown["clients"][6] == {
        "id": "codex",
        "title": "Codex",
        "language": "toml",
        "place": "~/.codex/config.toml",
        "install": "npm install --global @openai/codex",
        "lines": (
            'model = "chat"\nmodel_provider = "mlapi"\nweb_search = "disabled"\n\n[model_providers.mlapi]\n'
            f'name = "Centralized ML API"\nbase_url = "{open_api}/v1"\nenv_key = "MLAPI_KEY"\n'
            'wire_api = "responses"'
        ),
    }


def test_only_clients_whose_paths_the_model_has_are_listed(open_api: str, tmp_path: Path) -> None:
    embeds = list_clients("embed", "--url", open_api, cwd=tmp_path)["clients"]
    ids = ["curl", "openai-python", "openai-node", "langchain", "llama-index", "ai-sdk", "litellm", "box"]
    assert [client["id"] for client in embeds] == ids
    assert all("embed" in client["lines"] for client in embeds)
    alias = list_clients("gpt-4o-mini", "--url", open_api, cwd=tmp_path)["clients"]
    assert {"codex", "claude-code"}.isdisjoint(client["id"] for client in alias)
    ran = mlapi("clients", "embed", "--client", "codex", "--url", open_api, cwd=tmp_path)
    assert (ran.status, ran.out) == (2, "")
    assert "Codex calls POST /v1/responses, which embed does not have" in ran.talk


def test_claude_code_calls_no_other_model_and_sends_no_other_key(open_api: str, tmp_path: Path) -> None:
    ran = mlapi("clients", "chat", "--client", "claude-code", "--url", open_api, cwd=tmp_path)
    lines = ran.out.splitlines()
    assert lines[0] == "unset ANTHROPIC_API_KEY", "it counts more than ANTHROPIC_AUTH_TOKEN"
    models = dict(line.split()[1].split("=", 1) for line in lines if "MODEL" in line)
    tiers = ("OPUS", "SONNET", "HAIKU")
    named = {"ANTHROPIC_MODEL", *(f"ANTHROPIC_DEFAULT_{tier}_MODEL" for tier in tiers)}
    assert models == dict.fromkeys(named, "'chat'")


def test_a_team_that_may_call_the_model_is_chosen(team_api: tuple[str, str, str], tmp_path: Path) -> None:
    url, red, blue = team_api
    chat, embed = (list_clients(name, "--url", url, cwd=tmp_path) for name in ("chat", "embed"))
    assert (chat["team"], chat["key"]) == ("red", red)
    assert (embed["team"], embed["key"]) == ("blue", blue)
    named = list_clients("--team", "blue", "--url", url, cwd=tmp_path)
    assert (named["model"], named["key"]) == ("chat", blue)
    ran = mlapi("clients", "embed", "--team", "red", "--url", url, cwd=tmp_path)
    assert (ran.status, "there is no model 'embed'" in ran.talk) == (2, True)


def test_the_text_has_the_key_once_and_in_the_box(team_api: tuple[str, str, str], tmp_path: Path) -> None:
    url, red, _ = team_api
    ran = mlapi("clients", "--url", url, cwd=tmp_path)
    assert ran.out.startswith(
        f"chat at {url}, as team red. In each shell, first:\n\n    export MLAPI_KEY={red}\n"
    )
    assert f"\n    API key:  {red}\n" in ran.out
    assert ran.out.count(red) == 2
    assert red not in ran.talk
    assert "\nCodex (codex): into ~/.codex/config.toml, after npm install --global @openai/codex\n" in ran.out


def test_one_client_alone_can_be_written_to_a_file(team_api: tuple[str, str, str], tmp_path: Path) -> None:
    url, red, _ = team_api
    ran = mlapi("clients", "chat", "--client", "opencode", "--url", url, cwd=tmp_path)
    assert json.loads(ran.out)["provider"]["mlapi"]["options"]["baseURL"] == f"{url}/v1"
    assert red not in ran.out


def test_a_model_outside_of_v1_is_called_by_curl_alone(tmp_path: Path) -> None:
    with LoopbackServer(type("Other", (Listing,), {"lists": {None: []}})) as server:
        (curl,) = list_clients("--url", server.url, cwd=tmp_path)["clients"]
        ran = mlapi("clients", "pixels", "--url", server.url, cwd=tmp_path)
    assert curl["lines"].splitlines() == [
        f"curl --fail-with-body --silent --show-error '{server.url}/words' \\",
        """  --header "Authorization: Bearer $MLAPI_KEY" --header 'Content-Type: text/plain' \\""",
        """  --data-raw 'it'\\''s "so"'""",
    ]
    assert ran.status == 2
    assert "pixels has no path under /v1, and no sample that curl could send" in ran.talk


def test_what_does_not_exist_is_named_with_what_does(open_api: str, tmp_path: Path) -> None:
    model = mlapi("clients", "nobody", "--url", open_api, cwd=tmp_path)
    assert (model.status, model.out) == (2, "")
    assert "choose one of: chat, embed, gpt-4o-mini, words, pixels" in model.talk
    client = mlapi("clients", "--client", "netscape", "--url", open_api, cwd=tmp_path)
    assert (client.status, "there is no client 'netscape'" in client.talk) == (2, True)


def test_only_an_api_with_an_authority_of_its_own_says_how_to_trust_it() -> None:
    def lines(fingerprint: str) -> str:
        api = Api("https://192.168.1.20:8080", None, "", authority_fingerprint=fingerprint)
        return render(Choice(api, Caller(), "chat", ()), ())

    assert "curl" not in lines("")
    assert "http://192.168.1.20:8080/ca.pem" in lines("AB:CD")
    assert "AB:CD" in lines("AB:CD")
