"""`llama.cpp`: a GGUF language model, chat over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.config.llama_cpp_flags import parse_flags
from centralized_ml_api.local.launch import Launch
from centralized_ml_api.local.servers.llama_cpp_program import PROGRAM, STACK_BYTES
from centralized_ml_api.local.servers.parts import fetch
from centralized_ml_api.plan.engines import LLAMA_CPP_ANSWER_TOKENS, LlamaCppServing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from centralized_ml_api.local.servers.parts import ModelSpec, Say, ServiceParts
    from centralized_ml_api.local.supervision.process import ServerLog
    from centralized_ml_api.local.supervision.service import Service


@dataclass(frozen=True, slots=True)
class LlamaCppServer:
    """llama.cpp's own server on one file.

    Attributes:
        serving: What the config says.
        files: The GGUF files: the model, its projector if it has one, its adapters.
        name: What answers call the model; never a path of this machine.
        answer_tokens: The longest answer, unless a request asks for more: the server has no limit for those.
        environment: The whole environment of the process.
        cwd: Its folder.
    """

    serving: LlamaCppServing
    files: tuple[Path, ...]
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
        arguments = {
            "--model": str(self.files[0]),
            "--alias": self.name,
            "--context": str(self.serving.context),
            "--parallel": str(self.serving.places(self.environment)),
            "--answer-tokens": str(self.answer_tokens),
            "--port": str(port),
        }
        flags = () if self.serving.share_prompts else ("--keep-prompts-apart",)
        words = (word for pair in (*arguments.items(), *self._more_arguments()) for word in pair)
        argv = (*PROGRAM, *words, *flags)
        return Launch(
            argv=argv,
            environment=self.environment,
            cwd=self.cwd,
            needs=self.files,
            stack_bytes=STACK_BYTES,
        )

    def _more_arguments(self) -> Iterator[tuple[str, str]]:
        """Yields those that most entries do without."""
        serving, others = self.serving, [*self.files[1:]]
        if serving.gpu_layers is not None:
            yield "--gpu-layers", str(serving.gpu_layers)
        if serving.projector is not None:
            yield "--projector", str(others.pop(0))
        for adapter, path in zip(serving.adapters, others, strict=True):
            yield "--adapter", json.dumps({"path": str(path), "scale": adapter.scale})
        if serving.flags:
            yield "--settings", json.dumps(parse_flags(serving.flags).settings)


def make_service(
    spec: ModelSpec, serving: LlamaCppServing, parts: ServiceParts, changed: Callable[[], None]
) -> Service:
    """Makes a service that fetches the weights first."""

    async def prepare(say: Say, _: ServerLog) -> LlamaCppServer:
        files = [await fetch(weights, spec.folders, say) for weights in serving.weights_to_fetch]
        answer_tokens = spec.max_output_tokens or LLAMA_CPP_ANSWER_TOKENS
        return LlamaCppServer(
            serving, tuple(files), spec.name, answer_tokens, spec.environment, spec.folders[0]
        )

    return parts.replicate(spec, prepare, changed)
