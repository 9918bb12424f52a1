"""SageMaker's runtime API on this machine: boto3 and the AWS CLI call the local models by endpoint name.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations_Amazon_SageMaker_Runtime.html
"""

from centralized_ml_api.local.sagemaker_runtime.endpoint import Endpoint
from centralized_ml_api.local.sagemaker_runtime.listener import build_application

__all__ = ["Endpoint", "build_application"]
