"""`llama.cpp`: a GGUF language model, chat over HTTP."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.servers.parts import fetch
from centralized_ml_api.plan.engines import LLAMA_CPP_ANSWER_TOKENS, LlamaCppServing

if TYPE_CHECKING:
    from collections.abc import Callable

    from centralized_ml_api.local.servers.parts import ModelSpec, Say, ServiceParts
    from centralized_ml_api.local.supervision.process import ServerLog
    from centralized_ml_api.local.supervision.service import Service

# By its path, not as a module: the process then imports llama.cpp and nothing of ours.
_MAIN = Path(__file__).with_name("llama_cpp_main.py")

_STACK_BYTES = 2**30
"""For what llama.cpp does by recursion: with the usual 8 MiB, a chain of 150,000 grammar rules ends it."""


@dataclass(frozen=True, slots=True)
class LlamaCppServer:
    """llama.cpp's own server on one file.

    Attributes:
        serving: What the config says.
        model_path: The GGUF file.
        name: What answers call the model; never a path of this machine.
        answer_tokens: The longest answer, unless a request asks for more: the server has no limit for those.
        environment: The whole environment of the process.
        cwd: Its folder.
    """

    serving: LlamaCppServing
    model_path: Path
    name: str
    answer_tokens: int
    environment: Mapping[str, str] = field(repr=False)
    cwd: Path

    @property
    def ping_path(self) -> str:
        """The engine's path that answers 2xx once the server is ready."""
        return self.serving.ping_path

    @property
    def work_path(self) -> str | None:
        """The engine's path that its main loop answers."""
        return self.serving.work_path

    def launch(self, port: int) -> Launch:
        """Builds the process that will answer on `port`. Pure."""
        # -P: a file of the user that is called like a module (json.py) must not take its place.
        program = (sys.executable, "-P", str(_MAIN))
        arguments = {
            "--model": str(self.model_path),
            "--alias": self.name,
            "--context": str(self.serving.context),
            "--parallel": str(self.serving.places(self.environment)),
            "--answer-tokens": str(self.answer_tokens),
            "--port": str(port),
        }
        flags = () if self.serving.share_prompts else ("--keep-prompts-apart",)
        argv = (*program, *(word for pair in arguments.items() for word in pair), *flags)
        return Launch(
            argv=argv,
            environment=self.environment,
            cwd=self.cwd,
            needs=(self.model_path,),
            stack_bytes=_STACK_BYTES,
        )


def make_service(
    spec: ModelSpec, serving: LlamaCppServing, parts: ServiceParts, changed: Callable[[], None]
) -> Service:
    """Makes a service that fetches the weights first."""

    async def prepare(say: Say, _: ServerLog) -> LlamaCppServer:
        path = await fetch(serving.weights, spec.folders, say)
        answer_tokens = spec.max_output_tokens or LLAMA_CPP_ANSWER_TOKENS
        return LlamaCppServer(serving, path, spec.name, answer_tokens, spec.environment, spec.folders[0])

    return parts.replicate(spec, prepare, changed)
