"""Collected only where the SageMaker SDK is installed: `make parity` sets such an environment up."""

from __future__ import annotations

import os
from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("sagemaker") else ["test_*.py"]

# The SDK asks for a region, and for the machine's credentials, as soon as it is imported.
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
