"""The environment of a function, as Lambda makes it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.lambda_host.specification import HostSpecification

DUMMY_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
"""The SDK signs every request and refuses to start without keys; nothing on this machine checks them."""


def build_worker_environment(
    specification: HostSpecification, *, runtime_api: str, temporary: Path
) -> dict[str, str]:
    """The whole environment of one worker. Pure.

    `runtime_api` is `host:port` of the Runtime API, `temporary` a folder of the worker's own: its HOME too,
    so that no AWS profile or dot file of the user reaches the function. The config's `environment` wins over
    defaults, and the variables that Lambda reserves win over the config's.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (reserved variables)
    """
    return {
        **_defaults(specification, temporary),
        **specification.environment,
        **_reserved(specification, runtime_api),
        "PYTHONPATH": _python_path(specification),
    }


def _defaults(specification: HostSpecification, temporary: Path) -> dict[str, str]:
    return {
        "PATH": specification.path,
        "LANG": "en_US.UTF-8",
        "PYTHONUTF8": "1",  # the machine may not have Lambda's locale
        "TZ": ":UTC",
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's task root is read-only; the user's folder stays as it was
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": specification.runtime_url,
        "MODEL_SPEAKS": specification.model_speaks,
    }


def _reserved(specification: HostSpecification, runtime_api: str) -> dict[str, str]:
    return {
        **(specification.credentials or DUMMY_CREDENTIALS),
        "ENDPOINT_NAME": specification.endpoint_name,
        "LAMBDA_TASK_ROOT": specification.code,
        "_HANDLER": specification.handler,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_FUNCTION_NAME": specification.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(specification.memory_mib),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{specification.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_REGION": specification.region,
        "AWS_DEFAULT_REGION": specification.region,
    }


def _python_path(specification: HostSpecification) -> str:
    """The task root first, as on Lambda: a library that the function brings along wins over ours."""
    own = specification.environment.get("PYTHONPATH", "")
    return f"{specification.code}:{own}" if own else specification.code
