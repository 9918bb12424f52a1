"""API Gateway as it documents itself: answers HTTP by the REST API of a synthesized template. Only for tests.

Every rule carries the page of AWS that states it. What AWS does not document is not here. The back ends are
real: SageMaker's runtime API is that of the local target, functions run under AWS's own runtime client.
"""

from support.api_gateway.document import RestApi, Template, build_rest_api, read_document
from support.api_gateway.server import ApiGateway, serve_api

__all__ = ["ApiGateway", "RestApi", "Template", "build_rest_api", "read_document", "serve_api"]
