"""`llama.cpp`: a GGUF language model, chat over HTTP."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from centralized_ml_api.local.launch import Launch

PING_PATH = "/health"
INVOCATIONS_PATH = "/v1/chat/completions"

# By its path, not as a module: the process then imports llama.cpp and nothing of ours.
_MAIN = Path(__file__).with_name("llama_cpp_main.py")


@dataclass(frozen=True, slots=True)
class LlamaCppServer:
    """llama.cpp's own server on one file.

    Attributes:
        model_path: The GGUF file.
        context: Tokens of one conversation, question and answer.
        name: What answers call the model; never a path of this machine.
        environment: The whole environment of the process.
        cwd: Its folder.
    """

    ping_path: ClassVar[str] = PING_PATH
    invocations_path: ClassVar[str | None] = INVOCATIONS_PATH

    model_path: Path
    context: int
    name: str
    environment: Mapping[str, str] = field(repr=False)
    cwd: Path

    def launch(self, port: int) -> Launch:
        """The process that will answer on `port`."""
        # -P: a file of the user that is called like a module (json.py) must not take its place.
        program = (sys.executable, "-P", str(_MAIN))
        arguments = {
            "--model": str(self.model_path),
            "--alias": self.name,
            "--context": str(self.context),
            "--port": str(port),
        }
        argv = (*program, *(word for pair in arguments.items() for word in pair))
        return Launch(argv=argv, environment=self.environment, cwd=self.cwd, needs=(self.model_path,))
