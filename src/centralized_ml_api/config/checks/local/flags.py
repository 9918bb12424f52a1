"""The flags of llama.cpp's server: C311."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.llama_cpp_flags import parse_flags
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.errors import Problem


def _check(context: Context) -> Iterator[Problem]:
    for local in context.locals_of("llama.cpp"):
        words = local.strings("flags")
        for fault in parse_flags([word.value for word in words]).faults:
            yield UNKNOWN_FLAG.problem(
                words[fault.index].location,
                found=quoted(fault.found),
                expected=fault.expected,
                fix=fault.fix,
            )


UNKNOWN_FLAG = CheckedRule(
    id="C311",
    title="flag that llama.cpp does not get",
    meaning="""\
`flags` are those of llama.cpp's server, as its documentation spells them, each word by itself:
`["--temp", "0.2", "--swa-full"]`. The server that is installed knows them, and each gets a value that it can
have. Some flags are refused, because the gateway depends on them (`--port`, `--api-key`), because they would
show callers what others ask (`--slots`) or files of the machine (`--path`), or because a key of `local` says
the same (`context`, `parallel`, `gpu_layers`, `projector`, `adapters`).""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "llama.cpp", "weights": "hf://a/b/c.gguf", "flags": ["--port", "9000"]}',
        right='"local": {"engine": "llama.cpp", "weights": "hf://a/b/c.gguf", "flags": ["--temp", "0.2"]}',
    ),
    check=_check,
)

RULES = (UNKNOWN_FLAG,)
