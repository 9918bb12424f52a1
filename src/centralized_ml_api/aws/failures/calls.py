"""Failures while a model is called: SageMaker's runtime and Bedrock."""

from __future__ import annotations

from centralized_ml_api.aws.failures.failure import FORBIDDEN, Failure, Rank

_INVOKE = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"
_ACCESS = "https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html"

FAILURES: tuple[Failure, ...] = (
    Failure(
        "call-timeout",
        "the model did not answer in time: SageMaker waits 60 seconds",
        (r"invocation timed out while waiting for a response",),
        "ask for a shorter answer, stream it, or choose a faster instance type",
        docs=_INVOKE,
    ),
    Failure(
        "model-refused",
        "the model's container refused the request, or cannot serve this model",
        (r"received client error \(\d+\) from",),
        "compare the request with the model's sample, and read the container's log: aws logs tail"
        " /aws/sagemaker/Endpoints/<endpoint>; a new kind of model may need a newer image",
        docs=_INVOKE,
    ),
    Failure(
        "model-crashed",
        "the model's container failed or is overloaded",
        (r"could not get a response from the \S+ endpoint", r"received server error \(\d+\) from"),
        "read the container's log: aws logs tail /aws/sagemaker/Endpoints/<endpoint>; if it lacks memory,"
        " choose"
        " a larger instance type",
        Rank.GENERAL,
        docs=_INVOKE,
    ),
    Failure(
        "no-endpoint",
        "there is no such endpoint in this region",
        (r"endpoint .{1,80} of account \d+ not found", r"could not find (endpoint|variant) "),
        "look at the endpoints of this region (aws sagemaker list-endpoints); if it was deleted, deploy"
        " again",
        docs=_INVOKE,
    ),
    Failure(
        "request-size",
        "the request is larger than SageMaker accepts",
        (r"http content length exceeded \d+ bytes",),
        "send less: a smaller picture, or fewer inputs in one request",
        docs=_INVOKE,
    ),
    Failure(
        "inference-profile",
        "this Bedrock model is served through inference profiles only",
        (r"with on-demand throughput isn.t supported",),
        "write the profile's id instead of the model's: the same with us., eu., apac. or global. before it",
        docs="https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html",
    ),
    Failure(
        "bedrock-access",
        "this account has no access to the Bedrock model in this region yet",
        (
            r"don't have access to the model with the specified model id",
            rf"model access is denied(?!{FORBIDDEN})",
            r"your account is not authorized to invoke this api operation",
            r"use.?case (form|details).{0,120}(model|account)",
        ),
        "check that the region offers the model; then let somebody with administrator's permissions"
        " (aws-marketplace:Subscribe) open it once in the Bedrock console, for Anthropic's with the"
        " use-case form,"
        " and wait 15 minutes",
        docs=_ACCESS,
    ),
    Failure(
        "model-retired",
        "AWS has switched this model off",
        (
            r"model version has reached the end of its life",
            r"is not available because it has reached end of life",
        ),
        "use a newer model",
        docs="https://docs.aws.amazon.com/bedrock/latest/userguide/model-lifecycle.html",
    ),
)
