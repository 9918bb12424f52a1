"""C513: what the publisher wants to be known."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C513",
    title="a note on a JumpStart model",
    meaning="""\
The catalogue has something to say about the model: that it will be withdrawn, that it needs a
subscription, or that its best configuration cannot be deployed and the next was taken.""",
    example=Example(
        at="$.models[0]",
        wrong='"model_id": "meta-textgeneration-llama-3-1-70b"',
        right='"model_id": "huggingface-textgeneration-open-llama"',
    ),
    severity="warning",
)
