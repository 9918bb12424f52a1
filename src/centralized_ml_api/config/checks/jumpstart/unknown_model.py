"""C501: an id that JumpStart does not have."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C501",
    title="unknown JumpStart model",
    meaning="""\
No source has a model of this id in this region: not the lock file, not JumpStart's own list or the
mirror that `MLAPI_JUMPSTART_MIRROR` names, not the list that ships with this program. `mlapi models
WORD` searches them all. Without a network only what is cached and what ships is known.""",
    example=Example(
        at="$.models[0]",
        wrong='"model_id": "huggingface-textgeneration-open-lama"',
        right='"model_id": "huggingface-textgeneration-open-llama"',
    ),
)
