"""The known ways in which a deploy fails: how AWS and the CDK say it, what it means, and how to fix it.

Each row has an entry of the same id in docs/how-to/troubleshoot-aws.md; a test keeps both complete.
The patterns match the services' own messages.
"""

from __future__ import annotations

from dataclasses import dataclass

TROUBLESHOOTING = "docs/how-to/troubleshoot-aws.md"


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which a deploy fails; `patterns` are regular expressions, any of which identifies it."""

    id: str
    title: str
    patterns: tuple[str, ...]
    fix: str

    @property
    def page(self) -> str:
        """Returns the entry of the documentation that explains it."""
        return f"{TROUBLESHOOTING}#{self.id}"


FAILURES: tuple[Failure, ...] = (
    Failure(
        "not-subscribed",
        "this account has no subscription to the model package",
        (r"not subscribed to the marketplace", r"not authorized.*model-package.*subscri"),
        "subscribe to the product on the AWS Marketplace, wait until that is active, then deploy again",
    ),
    Failure(
        "quota",
        "the account's quota is too small for these instances",
        (r"account-level service limit", r"ResourceLimitExceeded.*for endpoint usage"),
        "request an increase of this quota in Service Quotas, or choose another instance type;"
        " `doctor` shows the quota of each type",
    ),
    Failure(
        "capacity",
        "AWS has no free instance of this type in this region right now",
        (r"InsufficientInstanceCapacity", r"Unable to provision requested ML compute capacity"),
        'list several types with "instances": ["…", "…"], try again later, or deploy to another region',
    ),
    Failure(
        "instance-unsupported",
        "the model or the region does not offer this instance type",
        (
            r"instance type .{0,80}(is not supported|not available)",
            r"does not support instance type",
            r"Requested instance type",
        ),
        "choose a type that both the model's page and the region offer",
    ),
    Failure(
        "stuck",
        "a model server was not ready in time",
        (
            r"did not pass the ping health check",
            r"did not respond to the ping",
            r"(Endpoint|Resource).{0,80}(timed out|did not stabilize|NotStabilized)",
            r"Exceeded attempts to wait",
        ),
        "read the container's log: aws logs tail /aws/sagemaker/Endpoints/<endpoint>",
    ),
    Failure(
        "model-data",
        "SageMaker cannot read the image or the artifacts",
        (
            r"(Could not access|Failed to download) model data",
            r"Could not find model data",
            r"(image|repository) .{0,160}does not exist",
            r"does not grant ecr:|Access denied to registry|not have permission.{0,80}(ecr|image)",
        ),
        "check that the image and model_data are in this region, and that this account may read them",
    ),
    Failure(
        "eula",
        "the licence of a gated model is not accepted",
        (r"AcceptEula", r"must accept the (EULA|end.user licen[cs]e)"),
        'read the licence, then write "accept_eula": true for this model',
    ),
    Failure(
        "name-in-use",
        "a resource outside the stack already has this name",
        (
            r"[Cc]annot create already existing",
            r"AlreadyExists",
            r"already exists(?! in the stack being)",
            r"Endpoint with name .* in use",
        ),
        "delete or rename that resource, adopt an endpoint by listing it under `endpoints`,"
        " or give this deployment another name: --stack NAME",
    ),
    Failure(
        "wrong-region",
        "an ARN or an image belongs to another region",
        (
            r"(ARN|arn|region).{0,120}(different|another|wrong|mismatch|does not match).{0,20}region",
            r"Invalid model package region|model package .{0,200}not found in region",
        ),
        "use the ARN for this region, or deploy to the ARN's region with --region",
    ),
    Failure(
        "not-bootstrapped",
        "this account and region are not bootstrapped for the CDK",
        (
            r"/cdk-bootstrap/[a-z0-9]+/version",
            r"[Hh]as the environment been bootstrapped",
            r"(requires|needs) bootstrap stack version",
            r"Unable to find bootstrap",
        ),
        "run: npx cdk bootstrap",
    ),
    Failure(
        "expired-credentials",
        "the AWS credentials have expired",
        (
            r"ExpiredToken",
            r"security token included in the request is expired",
            r"(SSO|session).{0,60}(has expired|is expired|expired)",
            r"TokenRefreshRequired|Token is expired|Token has expired",
        ),
        "sign in again (aws sso login, or new keys), then run the command again",
    ),
    Failure(
        "no-credentials",
        "no valid AWS credentials",
        (
            r"Unable to resolve AWS account",
            r"no credentials have been configured",
            r"Unable to locate credentials",
            r"Could not load credentials from any providers",
            r"UnrecognizedClient|InvalidClientTokenId|security token included in the request is invalid",
            r"NoCredentials|ProfileNotFound|config profile .* could not be found",
        ),
        "sign in: aws configure sso, or AWS_PROFILE=…",
    ),
    Failure(
        "wrong-account",
        "the credentials belong to another account than the deployment",
        (r"but the current credentials are for", r"Need to perform AWS calls for account"),
        "choose the profile of that account: AWS_PROFILE=…",
    ),
    Failure(
        "stack-busy",
        "the stack is being changed, or is in a state that cannot be updated",
        (
            r"is in \S+_IN_PROGRESS state and can ?not be updated",
            r"ROLLBACK_COMPLETE|ROLLBACK_FAILED|UPDATE_ROLLBACK_FAILED",
            r"in a failed state",
            r"Cannot update in-progress endpoint",
        ),
        "wait until the operation ends; after a failed first deploy, destroy the stack, then deploy again",
    ),
    Failure(
        "account-limit",
        "an account limit is reached",
        (
            r"(Maximum|maximum) number of .{0,60}(reached|exceeded)",
            r"LimitExceeded",
            r"(Template|template).{0,80}exceeds? .{0,40}(limit|size|maximum)",
            r"TooManyRequests|Rate exceeded|Throttling",
        ),
        "delete what you no longer use, or request an increase in Service Quotas",
    ),
    Failure(
        "log-role",
        "API Gateway may not write logs in this account",
        (r"CloudWatch Logs role ARN must be set",),
        "set a CloudWatch log role in API Gateway's account settings, then deploy again",
    ),
    Failure(
        "layer",
        "a layer does not exist, or this account may not use it",
        (r"Layer version .{0,200}(does not exist|not found)", r"lambda:GetLayerVersion"),
        "check the ARN under `layers`: its region, its version and its permissions",
    ),
    Failure(
        "no-permission",
        "these credentials do not have permission",
        (
            r"is not authorized to perform",
            r"AccessDenied",
            r"User: \S+ is not authorized",
            r"could not be used to assume",
        ),
        "ask the account's administrator for the permission that the message names",
    ),
    Failure(
        "no-network",
        "AWS cannot be reached",
        (
            r"ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN",
            r"Could not connect to the endpoint URL",
            r"(NetworkingError|self.signed certificate|unable to get local issuer)",
        ),
        "check the network, the proxy (HTTPS_PROXY) and the name of the region",
    ),
    Failure(
        "still-there",
        "some resources are left after the destroy",
        (r"DELETE_FAILED", r"could not be deleted"),
        "delete what the message names by hand, then destroy the stack again",
    ),
)
"""In the order in which they are tried: the first row that matches a line explains it."""

UNKNOWN = Failure("something-else", "the CDK failed", (), "read the last lines of the log")


def failure_of(id_: str) -> Failure:
    """Returns the row with that id."""
    return next(failure for failure in FAILURES if failure.id == id_)
