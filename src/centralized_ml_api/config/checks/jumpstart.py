"""C5: models of the JumpStart catalogue; `plan.jumpstart_lookup` finds these problems as it looks them up."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule


def _example(wrong: str, right: str = '"model_version": "*"') -> Example:
    return Example(at="$.models[0]", wrong=wrong, right=right)


UNKNOWN_MODEL = Rule(
    id="C501",
    title="unknown JumpStart model",
    meaning="""\
No source has a model with this id in this region: not the lock file, not JumpStart's own list or the
mirror that `MLAPI_JUMPSTART_MIRROR` names, and not the list that ships with this program. `mlapi models
WORD` searches all of them. Without a network, only cached models and those that ship with this program
are known.""",
    example=_example(
        '"model_id": "huggingface-textgeneration-open-lama"',
        '"model_id": "huggingface-textgeneration-open-llama"',
    ),
)
UNKNOWN_VERSION = Rule(
    id="C502",
    title="unknown JumpStart version",
    meaning="""\
The model has no such version, or only one that this program is too old to understand. `model_version` is
`*` for the newest version, an exact version (`3.2.11`), or what Python calls a version specifier (`3.*`,
`>=3,<4`). For proprietary models, only `*` and exact versions are supported.""",
    example=_example('"model_version": "99.0.0"', '"model_version": "3.*"'),
)
UNKNOWN_CONFIG = Rule(
    id="C503",
    title="unknown inference configuration",
    meaning="""\
Newer JumpStart models come in several configurations, such as `lmi` and `lmi-optimized`, which differ in
image, variables and instance types. Without `inference_config`, the one that the publisher ranks highest
is used. Many models have no such configurations.""",
    example=_example('"inference_config": "fastest"'),
)
INEXPRESSIBLE_CONFIG = Rule(
    id="C504",
    title="configuration with a draft model",
    meaning="""\
This configuration speeds the model up with a second, smaller draft model. SageMaker's API has a field for
the draft model's artifacts, but CloudFormation does not. Without `inference_config`, the best
configuration that needs no draft model is used.""",
    example=_example('"inference_config": "lmi-optimized"'),
)
LICENCE = Rule(
    id="C505",
    title="licence not accepted",
    meaning="""\
The publisher requires you to accept a licence (EULA) before you deploy the model. The problem names its
address. Read it, and if you accept it, add `"accept_eula": true` to the model's entry; that counts as
your acceptance.""",
    example=_example(
        '"model_id": "meta-textgeneration-llama-3-8b"',
        '"model_id": "meta-textgeneration-llama-3-8b", "accept_eula": true',
    ),
)
DEPRECATED = Rule(
    id="C506",
    title="deprecated model",
    meaning="""\
The publisher has deprecated this version of the model: it may stop working, and nobody will fix it. Choose
another version or another model. `mlapi models show ID --tolerate deprecated` shows what it would be.""",
    example=_example('"model_version": "1.0.0"'),
)
VULNERABLE = Rule(
    id="C507",
    title="vulnerable model",
    meaning="""\
JumpStart marks this version of the model as vulnerable: its container includes software with known
security flaws. Choose a newer version or another model.""",
    example=_example('"model_version": "1.0.0"'),
)
UNAVAILABLE = Rule(
    id="C508",
    title="not available in the region",
    meaning="""\
JumpStart does not exist in every region, and where it does, not every model, image or package is
available. The problem names the regions that have it. `mlapi check --region` sets the region to look in;
without it, `AWS_REGION` does, or else it is `us-east-1`.""",
    example=_example(
        '"model_id": "meta-textgeneration-llama-2-13b"',
        '"model_id": "huggingface-textgeneration-open-llama"',
    ),
)
SCRIPT_MODE = Rule(
    id="C509",
    title="model without its serving code",
    meaning="""\
Older JumpStart models keep the code that serves them apart from the weights. The SageMaker SDK downloads
both, packs them together and uploads the result to a bucket of yours. This program does not: choose a
newer version or another model, or pack the archive yourself and use `image` with `model_data`.""",
    example=_example('"model_version": "1.0.0"'),
)
UNUSABLE_ENTRY = Rule(
    id="C510",
    title="unusable JumpStart entry",
    meaning="""\
The catalogue's entry for this model lacks something that a deployment needs, or has an unexpected form.
Either the publisher made a mistake, or a mirror is damaged. Another version may work.""",
    example=_example('"model_version": "1.0.0"'),
)
LOCK_DRIFT = Rule(
    id="C511",
    title="not in the lock file",
    meaning="""\
`jumpstart.lock.json`, next to the config, pins versions so that every deployment is the same. It has no
version of this model that the config accepts: the config has changed since. `mlapi lock` updates the
file; without the file nothing is pinned.""",
    example=_example('"model_version": "4.*"'),
)
INSTANCE_POOL = Rule(
    id="C512",
    title="instance types that need different containers",
    meaning="""\
All `instances` are tried in order for the same model. JumpStart uses a different image, different
artifacts or different variables for some of these types, so a single model cannot cover them all. Choose
types from one family.""",
    example=_example(
        '"instances": ["ml.g5.2xlarge", "ml.inf2.xlarge"]',
        '"instances": ["ml.g5.2xlarge", "ml.g5.4xlarge"]',
    ),
)
UNKNOWN_COPIES = Rule(
    id="C514",
    title="JumpStart does not say what a copy reserves",
    meaning="""\
With a `min_capacity` of 0, SageMaker hosts the model as an inference component, and has to know what a copy
of it reserves of an instance. JumpStart says nothing of it for this model: either its publisher has not
tested it as an inference component, or the specs that ship with this program are used, which lack it. Say it
yourself in `autoscaling.resources`, or keep the model awake.""",
    example=_example(
        '"autoscaling": {"min_capacity": 0, "max_capacity": 1, "invocations_per_instance": 5}',
        '"autoscaling": {"min_capacity": 1, "max_capacity": 1, "invocations_per_instance": 5}',
    ),
)
PUBLISHER_NOTE = Rule(
    id="C513",
    title="note on a JumpStart model",
    meaning="""\
The catalogue has a note on this model: that it will be withdrawn, that it needs a subscription, or that
its best configuration cannot be deployed and the next best is used.""",
    example=_example(
        '"model_id": "meta-textgeneration-llama-3-1-70b"',
        '"model_id": "huggingface-textgeneration-open-llama"',
    ),
    severity="warning",
)

RULES = (
    UNKNOWN_MODEL,
    UNKNOWN_VERSION,
    UNKNOWN_CONFIG,
    INEXPRESSIBLE_CONFIG,
    LICENCE,
    DEPRECATED,
    VULNERABLE,
    UNAVAILABLE,
    SCRIPT_MODE,
    UNUSABLE_ENTRY,
    LOCK_DRIFT,
    INSTANCE_POOL,
    UNKNOWN_COPIES,
    PUBLISHER_NOTE,
)
