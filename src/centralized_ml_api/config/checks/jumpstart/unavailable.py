"""C508: a model that is not in the region."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C508",
    title="not available in the region",
    meaning="""\
JumpStart is not in every region, and not every model, image or package is wherever JumpStart is. The
regions that have it are named. `mlapi check --region` says which region is looked at; without it that is
the one of `AWS_REGION`, or `us-east-1`.""",
    example=Example(
        at="$.models[0]",
        wrong='"model_id": "meta-textgeneration-llama-2-13b"',
        right='"model_id": "huggingface-textgeneration-open-llama"',
    ),
)
