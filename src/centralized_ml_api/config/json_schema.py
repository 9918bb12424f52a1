"""The JSON Schema of the file, for editors: the types, and the rules that JSON Schema can express too.

The schema is committed next to this module, so that `$schema` can refer to it; `make docs` writes it.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from centralized_ml_api.config.shape.pydantic_models import build_config_model

SCHEMA_FILE = "models.schema.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LAMBDA = {"properties": {"type": {"const": "lambda"}}, "required": ["type"]}


def load_schema_text() -> str:
    """Returns the committed schema, as it is shipped with the package."""
    return files("centralized_ml_api.config").joinpath(SCHEMA_FILE).read_text(encoding="utf-8")


def render_schema() -> str:
    """Returns the schema as text, generated from the types. Pure."""
    return json.dumps(build_schema(), indent=2, ensure_ascii=False) + "\n"


def build_schema() -> dict[str, Any]:
    """Returns the schema (draft 2020-12), generated from the types. Pure."""
    generated: dict[str, Any] = _without_noise(build_config_model().model_json_schema(by_alias=True))
    kinds = generated["$defs"]
    sources, instances = ("model_id", "model_package_arn", "image"), ("instance", "instances")
    is_deployed = [{"oneOf": [{"required": [key]} for key in keys]} for keys in (sources, instances)]
    of_aws = {"anyOf": [{"required": [key]} for key in (*sources, *instances)]}
    kinds["ModelEntry"]["anyOf"] = [{"allOf": is_deployed}, {"required": ["local"], "not": of_aws}]
    kinds["ModelEntry"]["dependentRequired"] = {"model_data": ["image"]}
    kinds["EndpointEntry"]["not"] = {
        "anyOf": [
            {"required": ["endpoint_name", "provider"]},
            {"required": ["endpoint_name", "bedrock_model_id"]},
            {"required": ["bedrock_model_id", "provider"]},
        ]
    }
    kinds["EndpointEntry"]["dependentRequired"] = {"bedrock_region": ["bedrock_model_id"]}
    kinds["KeySource"]["oneOf"] = [{"required": [place]} for place in ("env", "file", "secret")]
    for kind in ("Provider", "ProviderServer"):
        kinds[kind]["anyOf"] = [{"required": ["name", "key"]}, {"required": ["url"]}]
    kinds["Integration"] |= {
        "if": _LAMBDA,
        "then": {"required": ["properties"]},
        "else": {"not": {"required": ["properties"]}},
    }
    return {"$schema": _DIALECT, "title": "Centralized ML API: models.json", **generated}


def _without_noise(node: Any) -> Any:
    """Returns a part without pydantic's titles, and without `null`, which the file must not contain."""
    if isinstance(node, list):
        return [_without_noise(item) for item in node]
    if not isinstance(node, dict):
        return node
    cleaned = {key: _cleaned(key, value) for key, value in node.items() if not _is_noise(key, value)}
    alternatives = [kind for kind in cleaned.get("anyOf", []) if kind != {"type": "null"}]
    if len(alternatives) == 1:
        del cleaned["anyOf"]
        cleaned = {**alternatives[0], **cleaned}
    if "patternProperties" in cleaned:
        cleaned["additionalProperties"] = False
    return cleaned


def _cleaned(key: str, value: Any) -> Any:
    """Cleans the members of an object whose keys are the file's own; keeps examples and defaults."""
    if key in {"properties", "$defs"} and isinstance(value, dict):
        return {name: _without_noise(inner) for name, inner in value.items()}
    return value if key in {"examples", "default"} else _without_noise(value)


def _is_noise(key: str, value: Any) -> bool:
    return (
        (key == "title" and isinstance(value, str))
        or (key == "default" and value is None)
        or key == "discriminator"
    )
