"""Six configs as the CDK app makes them: their OpenAPI documents, and what lies in S3."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.api_gateway import read_document
from support.api_gateway.objects import read_objects
from support.synthesis import (
    STACK,
    build_plan_of,
    build_test_plan,
    container,
    function,
    model,
    package,
    synthesize,
)

if TYPE_CHECKING:
    from centralized_ml_api.plan.aws.types import AwsPlan

ROOT = Path(__file__).parents[2]
HEADERS = ["X-Amzn-SageMaker-Custom-Attributes", "HeaderA"]
CHAT = {"speaks": "openai-chat"}
EMBEDS = {"speaks": "openai-embeddings"}


@dataclass(frozen=True, slots=True)
class Synthesized:
    """`objects` are by bucket and key."""

    document: dict[str, Any]
    objects: dict[str, bytes]


FILES = {"the default config": "config/models.json", "showcase": "config/showcase.json"}
CONFIGS: dict[str, dict[str, Any]] = {
    "open": {
        "models": [
            model("direct"),
            container("with-headers", integration={"type": "api", "headers": HEADERS}),
        ]
    },
    "event with teams": {
        "models": [package("chats", **CHAT), package("embeds", **EMBEDS), container("direct")],
        "event": {
            "teams": ["red", {"name": "guests", "requests_per_day": 100, "models": ["direct"]}],
            "requests_per_second": 5,
            "ends": "2030-06-01T18:00:00+02:00",
        },
    },
    "stream": {
        "models": [
            package("streamed", integration={"type": "stream"}, **CHAT),
            container("direct"),
            model("through", integration=function()),
        ]
    },
    "many": {
        "models": [
            package(f"model-{number}", **(CHAT if number % 3 else EMBEDS if number % 2 else {}))
            for number in range(40)
        ]
    },
}
NAMES = (*FILES, *CONFIGS)


def synthesize_config(name: str, folder: Path) -> Synthesized:
    """Synthesizes one of `NAMES` into `folder`."""
    output = folder / "out"
    template = synthesize(_plan(name, folder), output).document
    return Synthesized(read_document(template), read_objects(output, STACK))


def _plan(name: str, folder: Path) -> AwsPlan:
    if name in FILES:
        return build_plan_of(ROOT / FILES[name])
    return build_test_plan(CONFIGS[name], folder)
