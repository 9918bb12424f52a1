"""Runs a Lambda function on this machine, with AWS's own runtime client and API Gateway's proxy events.

One host process serves one function. It keeps a pool of workers, each of which runs one invocation at a time.
Towards the gateway the host speaks HTTP (`proxy_integration`): a request becomes a Lambda event
(`lambda_event`), and what the function returns becomes the response (`response`). Towards its workers it
speaks the Lambda Runtime API (`runtime_api`, `worker`, `pool`).
"""

from centralized_ml_api.local.lambda_host.server import FunctionServer, why_not_here

__all__ = ["FunctionServer", "why_not_here"]
