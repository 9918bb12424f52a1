"""C502: a version that the model does not have."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

RULE = Rule(
    id="C502",
    title="unknown JumpStart version",
    meaning="""\
The model has no such version, or only one that is newer than the rules of this program. `model_version`
is `*` for the newest, an exact version (`3.2.11`), or what Python calls a version specifier (`3.*`,
`>=3,<4`). For proprietary models only `*` and exact versions are known.""",
    example=Example(
        at="$.models[0]",
        wrong='"model_version": "99.0.0"',
        right='"model_version": "3.*"',
    ),
)
