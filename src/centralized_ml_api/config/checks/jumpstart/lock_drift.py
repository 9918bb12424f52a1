"""C511: a lock file that does not cover the model."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C511",
    title="not in the lock file",
    meaning="""\
Beside the config lies `jumpstart.lock.json`, which pins versions so that every deployment is the same.
It does not have this model in a version that the config asks for: the config changed since. `mlapi lock`
writes the file anew; without the file nothing is pinned.""",
    example=Example(
        at="$.models[0]",
        wrong='"model_version": "4.*"',
        right='"model_version": "*"',
    ),
)
