"""Serves SageMaker's runtime API on this machine: boto3 and the AWS CLI call local models by endpoint name.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations_Amazon_SageMaker_Runtime.html
"""

from centralized_ml_api.local.sagemaker_runtime.forward import Endpoint
from centralized_ml_api.local.sagemaker_runtime.listener import (
    MODEL_TIMEOUT_SECONDS,
    build_application,
)
from centralized_ml_api.local.sagemaker_runtime.relay import RemoteEndpoint
from centralized_ml_api.local.sagemaker_runtime.service_error import (
    ServiceError,
    model_error,
    no_capacity,
    refused,
    unavailable,
)

__all__ = [
    "MODEL_TIMEOUT_SECONDS",
    "Endpoint",
    "RemoteEndpoint",
    "ServiceError",
    "build_application",
    "model_error",
    "no_capacity",
    "refused",
    "unavailable",
]
