"""Runs a Lambda function on this machine: AWS's own runtime client below, API Gateway's proxy events above.

One host process serves one function; it keeps workers, one invocation at a time each. The host talks HTTP to
the gateway (`front`), turns a request into an event (`event`) and an answer into a response (`answer`), and
speaks the Lambda Runtime API to its workers (`runtime_api`, `worker`, `pool`).
"""

from centralized_ml_api.local.lambda_host.server import FunctionServer, why_not_here

__all__ = ["FunctionServer", "why_not_here"]
