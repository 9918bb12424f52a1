"""The Lambda functions: their environment and what each may do. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.plan.aws.speaks import container_speaks
from centralized_ml_api.plan.aws.types import ModelFunctionPlan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from centralized_ml_api.config.schema import Speaks
    from centralized_ml_api.plan.aws.types import ContainerPlan, Endpoint
    from centralized_ml_api.plan.types import FunctionPlan

EVERYTHING = "*"

_INVOKE = "sagemaker:invokeendpoint"
_ENDPOINT = ":endpoint/"


def build_model_function(
    name: str,
    function: FunctionPlan,
    endpoint: Endpoint,
    container: ContainerPlan | None,
    speaks: Speaks | None = None,
) -> ModelFunctionPlan:
    """The function of one entry.

    `container` is what runs behind the endpoint, where that is known; `speaks` is what the config says of it.
    """
    invoke = [action for action in function.actions if _is_invoke(action)]
    resources = function.resources or ()
    return ModelFunctionPlan(
        name=name,
        function=function,
        endpoint=endpoint,
        environment={**_language(container, speaks), **function.environment},
        invoke_actions=tuple(invoke),
        invoke_resources=tuple(one for one in resources if _ENDPOINT in one),
        other_actions=tuple(action for action in function.actions if action not in invoke),
        other_resources=_other_resources(function.resources),
    )


def _is_invoke(action: str) -> bool:
    """IAM does not mind the case of an action."""
    return action.lower().startswith(_INVOKE)


def _other_resources(written: Sequence[str] | None) -> tuple[str, ...]:
    return (EVERYTHING,) if written is None else tuple(written)


def _language(container: ContainerPlan | None, written: Speaks | None) -> Mapping[str, str]:
    """MODEL_SPEAKS, as written or for a known family; the function has a default for the others.

    With `text-inputs`, which is what the example function's callers speak already, it passes bodies on.
    """
    speaks = written or (container_speaks(container.image) if container else None)
    return {"MODEL_SPEAKS": speaks} if speaks else {}
