"""Decides the environment variables of a worker, as Lambda does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.lambda_host.server import HostSpecification

DUMMY_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
"""AWS SDKs sign every request and do not start without credentials; nothing on this machine checks them."""


def build_worker_environment(
    specification: HostSpecification, *, runtime_api: str, temporary: Path
) -> dict[str, str]:
    """Returns the complete environment of one worker. Pure.

    The config's `environment` overrides the defaults, and Lambda's reserved variables override the config's.

    Args:
        specification: The function.
        runtime_api: `host:port` of the worker's Runtime API.
        temporary: The worker's own folder. It is HOME too, to hide the user's AWS profiles and dot files.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (reserved variables)
    """
    python_path = specification.environment.get("PYTHONPATH", "")
    return {
        **_defaults(specification, temporary),
        **specification.environment,
        **_reserved(specification, runtime_api),
        # The task root first, as on Lambda: a library in the function's folder wins over ours.
        "PYTHONPATH": f"{specification.code}:{python_path}" if python_path else specification.code,
    }


def _defaults(specification: HostSpecification, temporary: Path) -> dict[str, str]:
    return {
        "PATH": specification.path,
        "LANG": "en_US.UTF-8",
        "PYTHONUTF8": "1",  # this machine may lack Lambda's locale
        "TZ": ":UTC",
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "PYTHONDONTWRITEBYTECODE": "1",  # as on Lambda, where the task root is read-only
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
