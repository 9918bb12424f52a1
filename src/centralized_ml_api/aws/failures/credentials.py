"""Failures before AWS knows who calls: credentials, clock, region, network."""

from __future__ import annotations

from centralized_ml_api.aws.failures.failure import Failure

_REGIONS = "https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html"

FAILURES: tuple[Failure, ...] = (
    Failure(
        "expired-credentials",
        "the AWS credentials have expired",
        (
            r"expiredtoken",
            r"(security token included in the request|provided token) (is|has) expired",
            r"\b(sso|session)\b.{0,60}expired",
            r"tokenrefreshrequired|token is expired|token has expired",
        ),
        "sign in again (aws sso login, or new keys), then run the command again",
    ),
    Failure(
        "no-credentials",
        "no valid AWS credentials",
        (
            r"unable to resolve aws account",
            r"no credentials have been configured",
            r"unable to locate credentials",
            r"could not load credentials from any providers",
            r"nocredentials|profilenotfound|config profile .* could not be found",
        ),
        "sign in: aws configure sso, or AWS_PROFILE=…",
    ),
    Failure(
        "refused-credentials",
        "AWS does not accept these keys in this region",
        (
            r"(invalidclienttokenid|unrecognizedclientexception)",
            r"security token included in the request is invalid(?!.{0,20}ensure that the provided iam role)",
            r"the provided token is malformed or otherwise invalid",
            r"(aws access key id|accesskeyid) you provided does not exist",
            r"the request signature we calculated does not match",
            r"sts is not activated in this region|regiondisabled",
        ),
        "if the account must enable the region first, enable it or choose another one with --region;"
        " otherwise check the keys, and their session token: aws sts get-caller-identity",
        docs=_REGIONS,
    ),
    Failure(
        "wrong-account",
        "the credentials belong to another account than the deployment",
        (r"but the current credentials are for", r"need to perform aws calls for account"),
        "choose the profile of that account: AWS_PROFILE=…",
    ),
    Failure(
        "clock",
        "the clock of this machine is wrong",
        (
            r"signature (expired|not yet current): ",
            r"requesttimetooskewed|difference between the request time and the (current|server's) time",
            r"requestexpired|request has expired",
        ),
        "set the clock of this machine, and of its container or virtual machine, then run it again",
    ),
    Failure(
        "account-sign-up",
        "AWS has not finished opening this account, or has suspended it",
        (
            r"your account is not signed up",
            r"notsignedup|(not subscribed to this|subscription for the) service",
            r"your account is currently being verified|account is blocked|pendingverification",
        ),
        "finish the sign-up in the account's billing console: means of payment, telephone, support plan",
        docs="https://docs.aws.amazon.com/accounts/latest/reference/troubleshooting.html",
    ),
    Failure(
        "no-network",
        "AWS cannot be reached",
        (
            r"\b(enotfound|econnrefused|econnreset|etimedout|eai_again)\b",
            r"could not connect to the endpoint url",
            r"(connect|read) timeout on endpoint url",
            r"networkingerror|self.signed certificate|unable to get local issuer",
        ),
        "check the network, the proxy (HTTPS_PROXY) and the name of the region",
    ),
)
