# ruff: noqa: SLF001  # the SDK has no public functions for these single answers
"""Asks the SageMaker SDK about models of a mirror: `python ask.py MIRROR COUNT`.

It runs on the Python of the SDK's own environment. Like our own program, it prints JSON: the answer for
the first model, and the seconds for each of the others.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

# The SDK reads these on import.
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

from sagemaker.core.jumpstart import artifacts  # after setting the environment

_FOLDERS = ("AWS_JUMPSTART_MANIFEST_LOCAL_ROOT_DIR_OVERRIDE", "AWS_JUMPSTART_SPECS_LOCAL_ROOT_DIR_OVERRIDE")


def ask(number: int) -> dict[str, Any]:
    """Returns what a deployment needs to know about a model, on its default instance."""
    model = {"model_id": f"acme-textgeneration-tiny-{number}", "model_version": "*", "region": "us-east-1"}
    instance = artifacts._retrieve_default_instance_type(**model, scope="inference")
    return {
        "instance": instance,
        "image": artifacts._retrieve_image_uri(**model, image_scope="inference", instance_type=instance),
        "data": artifacts._retrieve_model_uri(**model, model_scope="inference", instance_type=instance),
        "environment": artifacts._retrieve_default_environment_variables(
            **model, script="inference", instance_type=instance, include_aws_sdk_env_vars=False
        ),
    }


def main() -> None:
    """Prints the answer and the times."""
    mirror, count = sys.argv[1], int(sys.argv[2])
    os.environ.update(dict.fromkeys(_FOLDERS, mirror))
    answer = ask(0)
    seconds = []
    for number in range(1, count):
        begun = time.perf_counter()
        ask(number)
        seconds.append(time.perf_counter() - begun)
    sys.stdout.write(json.dumps({"answer": answer, "seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()
