"""C505: a gated model whose licence was not accepted."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C505",
    title="licence not accepted",
    meaning="""\
The publisher asks you to accept a licence (EULA) before you deploy the model; its address is named. Read
it, and if you accept it, write `"accept_eula": true` into the model's entry: that is your acceptance.""",
    example=Example(
        at="$.models[0]",
        wrong='"model_id": "meta-textgeneration-llama-3-8b"',
        right='"model_id": "meta-textgeneration-llama-3-8b", "accept_eula": true',
    ),
)
