"""A gateway before a model that counts what it computes, and teams with budgets."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.local.gateway import (
    ExternalUpstream,
    Gateway,
    ProviderAccess,
    ServedRoute,
    TeamAccess,
    Translation,
    Upstream,
)
from centralized_ml_api.plan.event import Spending
from support.counting_model import CountingModel
from support.model_server import start_model_server
from support.running_gateway import RunningGateway, start_gateway
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.background import Background
    from support.running_gateway import Answer

CHAT = "/v1/chat/completions"

PRICE = (1000, 1000, 1000)
"""A nanodollar a token, so that dollars and tokens are the same number."""
ANSWER_TOKENS = 20
BODY = json.dumps(
    {"model": "chat", "max_tokens": ANSWER_TOKENS, "messages": [{"role": "user", "content": "x" * 50}]}
)
NEED = len(BODY) + 256 + ANSWER_TOKENS
BUDGET = 10 * NEED
TRANSLATION = Translation("anthropic-messages", "openai-chat", "max_tokens", takes_stream_options=False)


def spending(amount: int = BUDGET) -> Spending:
    return Spending(nanodollars=amount)


@dataclass
class Spent:
    """A gateway before such a model, and each test's own team."""

    gateway: RunningGateway
    model: CountingModel
    served: Gateway
    teams: list[TeamAccess] = field(default_factory=list)

    def add_team(self, **limits: Any) -> str:
        """A team with limits of its own; returns its key."""
        name = f"team{len(self.teams)}"
        self.teams.append(TeamAccess(name, (f"key-of-{name}",), spending=Spending(**limits)))
        self.gateway.apply(replace(self.served, teams=tuple(self.teams)))
        return f"key-of-{name}"

    def call(self, key: str, **more: Any) -> Answer:
        body = json.dumps({**json.loads(BODY), **more}) if more else BODY
        return self.gateway.call(CHAT, body.encode(), {"x-api-key": key})


@contextlib.contextmanager
def start_spent(background: Background, folder: Path) -> Iterator[Spent]:
    """Starts a gateway before a model that counts."""
    model = CountingModel()
    with start_model_server(background) as server:
        server.answering = model.answer
        terms = EntryTerms(has_tokens=True, price=PRICE)
        route = ServedRoute("chat", "model", CHAT, (), admission=terms, counts_tokens=True)
        translated = replace(route, name="translated", translation=TRANSLATION)
        passed = replace(route, name="passed", streams=True)
        translated_stream = replace(translated, name="translated-stream", streams=True)
        upstream = Upstream("model", (urlsplit(server.url).port or 0,))
        external = ExternalUpstream(
            "hosted", "127.0.0.1", upstream.ports[0], tls=False, provider=ProviderAccess("x-key", "", None)
        )
        hosted = replace(route, name="hosted", upstream="hosted")
        hosted_stream = replace(hosted, name="hosted-stream", streams=True)
        served = Gateway(
            (upstream, external),
            (route, translated, passed, translated_stream, hosted, hosted_stream),
            by_model={CHAT: (route,)},
        )
        with start_gateway(folder, background, served) as gateway:
            yield Spent(gateway, model, served)


def wait_until_it_is_final(spent: Spent, key: str) -> None:
    """Waits until a short call is refused without hope that those under way give anything back."""

    def refuse() -> bool:
        answer = spent.call(key, messages=[{"role": "user", "content": "x"}], max_tokens=1)
        assert answer.status == 429
        return answer.header("x-should-retry") == "false"

    wait_until(refuse, "nothing is given back")
