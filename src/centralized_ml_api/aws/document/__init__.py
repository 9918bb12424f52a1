"""The public OpenAPI document, extended with how API Gateway answers each path. Pure, without CDK.

Values that only CloudFormation knows (endpoint names, ARNs) come in as texts, CDK tokens included.
"""

from centralized_ml_api.aws.document.extend import Addresses, extend_document

__all__ = ["Addresses", "extend_document"]
