"""C010 to C016: how a value can differ from what its key takes."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

UNKNOWN_KEY = Rule(
    id="C010",
    title="unknown key",
    meaning="""\
The format has no such key here: it is misspelt, or one level too high or too low. Unknown keys are errors
because a misspelt one would otherwise be silently ignored.""",
    example=Example(
        at="$.models[0]", wrong='"intance": "ml.g5.2xlarge"', right='"instance": "ml.g5.2xlarge"'
    ),
)
MISSING_KEY = Rule(
    id="C011",
    title="missing key",
    meaning="""\
The object lacks a required key; the location shown is that of the object. `docs/reference/config.md` lists
the keys of every object, which of them are required, and the defaults of the others.""",
    example=Example(
        at="$.models[0]",
        wrong='"autoscaling": {"min_capacity": 1, "max_capacity": 2}',
        right='"autoscaling": {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}',
    ),
)
WRONG_TYPE = Rule(
    id="C012",
    title="wrong type",
    meaning="""\
The value does not have the type that this key takes. Nothing is converted silently: `"3"` is a string, not
the number 3; `3.0` is not a whole number; `1` is not `true`; and a single string is not an array of
strings. To leave a key out, remove it; `null` does not mean that.""",
    example=Example(at="$.models[0].integration.properties", wrong='"timeout": "29"', right='"timeout": 29'),
)
NOT_ONE_OF = Rule(
    id="C013",
    title="unknown value",
    meaning="""\
This key takes one of a few words, and the value is not among them. Write the word exactly as shown, in
lower case.""",
    example=Example(at="$.models[1].integration", wrong='"type": "rest"', right='"type": "api"'),
)
OUT_OF_RANGE = Rule(
    id="C014",
    title="out of range",
    meaning="""\
The number is outside the range that this key takes, or the array has too few or too many items. Where the
limit is AWS's own (a function's timeout and memory, the number of instance types), AWS would refuse the
deployment.""",
    example=Example(at="$.models[0].integration.properties", wrong='"memory": 64', right='"memory": 128'),
)
BAD_FORM = Rule(
    id="C015",
    title="malformed string",
    meaning="""\
The string does not have the form that this key takes: for example an S3 URI that does not begin with
`s3://`, or an empty string where a name is required.""",
    example=Example(
        at="$.models[1]",
        wrong='"local": {"engine": "sagemaker", "region": "Ireland"}',
        right='"local": {"engine": "sagemaker", "region": "eu-west-1"}',
    ),
)
LITERAL_KEY = Rule(
    id="C016",
    title="key in the config",
    meaning="""\
A config is shared, committed and sent around, so a provider's key never stands in it. `key` says where
the key is kept: `{"env": "OPENAI_API_KEY"}`, an environment variable of `mlapi up`; `{"file":
"keys/openai"}`, a file that nobody but you may read; or `{"secret": "openai-key"}`, a secret in AWS
Secrets Manager. If the config with the key has already been shared, replace the key at the provider.""",
    example=Example(
        at="$.endpoints[0]",
        wrong='"provider": {"name": "openai", "model": "gpt-5-mini", "key": "sk-…"}',
        right='"endpoint_name": "Adopted-2026"',
    ),
)

RULES = (UNKNOWN_KEY, MISSING_KEY, WRONG_TYPE, NOT_ONE_OF, OUT_OF_RANGE, BAD_FORM, LITERAL_KEY)
