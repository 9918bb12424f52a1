"""Failures that only wait or an increase can end: throttling, and limits of the account."""

from __future__ import annotations

from centralized_ml_api.aws.failures.failure import Failure, Rank

FAILURES: tuple[Failure, ...] = (
    Failure(
        "throttled",
        "nothing is wrong: AWS was asked too much at once",
        (
            r"rate exceeded",
            r"too many requests|toomanyrequests",
            r"\bthrottling(exception|error)?['\"]?[):;,]|handlererrorcode: throttling",
            r"too many tokens, please wait",
            r"requestlimitexceeded|slowdown|please reduce your request rate",
            r"request rate (is too high|.{0,40}exceed)",
        ),
        "wait a minute, then run it again, one deploy at a time; if it stays, request an increase of that"
        " rate"
        " in Service Quotas",
        docs="https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html",
    ),
    Failure(
        "account-limit",
        "an account limit is reached",
        (
            r"maximum number of .{0,60}(reached|exceeded)",
            r"(cannot exceed quota|limit) (for|of) \w+( per \w+)? ?(: \d+|\(\d+\))",
            r"you have (reached|exceeded) (the|your) (limit|maximum|quota)",
            r"limit exceeded for|would exceed (the|your) .{0,60}(limit|quota)",
        ),
        "delete what you no longer use, or request an increase in Service Quotas",
        Rank.GENERAL,
        docs="https://docs.aws.amazon.com/servicequotas/latest/userguide/request-quota-increase.html",
    ),
)
