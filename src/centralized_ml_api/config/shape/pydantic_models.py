"""The schema as models of pydantic, made when something is wrong or the format is described.

Importing pydantic and building its validator take a tenth of a second.
"""

from __future__ import annotations

import os
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import pydantic

from centralized_ml_api.config.schema import Config
from centralized_ml_api.config.schema.written import Discriminator, Field, Tag, Written

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_PLUGINS = "PYDANTIC_DISABLE_PLUGINS"
# Only the class that is validated is built, with all that it contains: not each part once more.
_SETTINGS = pydantic.ConfigDict(strict=True, extra="forbid", defer_build=True)


def build_config_model() -> type[pydantic.BaseModel]:
    """Builds the model of the whole file, once, without looking for plugins of pydantic.

    We use none, and to find them pydantic reads the metadata of every installed package. Only a variable of
    the environment prevents that; processes started later do not inherit it: a model's code may use plugins.
    Source: https://docs.pydantic.dev/latest/concepts/plugins/ (PYDANTIC_DISABLE_PLUGINS)
    """
    model = build_model(Config)
    if model.__pydantic_complete__ or _NO_PLUGINS in os.environ:
        return model
    os.environ[_NO_PLUGINS] = "__all__"
    try:
        model.model_rebuild()
    finally:
        del os.environ[_NO_PLUGINS]
    return model


def take_back(value: Any) -> Any:
    """Returns the object of the schema that a value of pydantic's is. Pure."""
    if isinstance(value, pydantic.BaseModel):
        own = {name: take_back(getattr(value, name)) for name in type(value).model_fields}
        return _KINDS[type(value)](**own)
    if isinstance(value, list):
        return [take_back(item) for item in value]
    return {key: take_back(item) for key, item in value.items()} if isinstance(value, dict) else value


_MODELS: dict[type[Written], type[pydantic.BaseModel]] = {}
_KINDS: dict[type[pydantic.BaseModel], type[Written]] = {}


def build_model(kind: type[Written]) -> type[pydantic.BaseModel]:
    """Builds the model of a class, once."""
    if kind not in _MODELS:
        fields: dict[str, Any] = {
            name: (_convert(field.annotated), ... if field.is_required else field.default)
            for name, field in kind.fields_by_name().items()
        }
        model = pydantic.create_model(kind.__name__, __config__=_SETTINGS, __doc__=kind.__doc__, **fields)
        _MODELS[kind], _KINDS[model] = model, kind
    return _MODELS[kind]


def _convert(annotated: Any) -> Any:
    """Returns a type of the schema as one of pydantic's."""
    origin, parts = get_origin(annotated), get_args(annotated)
    if origin is Annotated:
        annotation, *said = parts
        return Annotated[_convert(annotation), *map(_convert_said, said)]
    if origin in {Union, UnionType}:
        return Union[tuple(map(_convert, parts))]  # noqa: UP007  # of a tuple
    if origin in {list, dict}:
        return origin[tuple(map(_convert, parts))]
    if isinstance(annotated, type) and issubclass(annotated, Written):
        return build_model(annotated)
    return annotated


def _convert_said(said: Any) -> Any:
    if isinstance(said, Tag):
        return pydantic.Tag(said.tag)
    if isinstance(said, Discriminator):
        return pydantic.Discriminator(said.by)
    given: Mapping[str, Any] = said.given() if isinstance(said, Field) else {}
    return pydantic.Field(**given)
