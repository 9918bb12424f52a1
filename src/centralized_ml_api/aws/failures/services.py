"""Failures of the other services, then those that any service has: throttling, and limits of the account.

The others are buckets, secrets, parameters, schedules, budgets and dashboards.
"""

from __future__ import annotations

from centralized_ml_api.aws.failures.failure import Failure, Rank

FAILURES: tuple[Failure, ...] = (
    Failure(
        "bucket-not-empty",
        "a bucket still has objects",
        (r"the bucket .{0,80} is not empty", r"bucket you tried to delete is not empty"),
        "empty the bucket, all versions included, in the S3 console; then run it again",
    ),
    Failure(
        "bucket-region",
        "the bucket is in another region",
        (r"s3 error code: permanentredirect", r"the bucket is in this region: "),
        "deploy to the bucket's region with --region, or copy the object to a bucket in this region",
    ),
    Failure(
        "deleted-secret",
        "a deleted secret keeps its name for 7 to 30 days",
        (r"a secret with this name is already scheduled for deletion",),
        "restore the secret, or delete it for good: aws secretsmanager delete-secret --secret-id <name>"
        " --force-delete-without-recovery",
    ),
    Failure(
        "missing-parameter",
        "this account and region have no such parameter",
        (r"unable to fetch parameters \[(?!/cdk-bootstrap/)",),
        "check which account and region you use (`doctor` shows both), or create the parameter in Systems"
        " Manager",
    ),
    Failure(
        "schedule-gone",
        "the schedule that ends the event is gone: it has run, or somebody deleted it",
        (r"resource of type 'aws::scheduler::schedule\w*' with identifier '.{1,200}' was not found",),
        "remove the schedule (`event.end`) from the config, deploy, then add it again",
    ),
    Failure(
        "linked-account",
        "a budget needs billing data, which only the organization's payer account can switch on",
        (r"is a linked account\. to enable budgets",),
        "ask whoever has the payer account, which can take a day, or remove the budget from the config",
    ),
    Failure(
        "dashboard",
        "the generated dashboard is wrong: a fault of this program",
        (r"the dashboard body is invalid",),
        "report it with this message, and deploy without the dashboard until then",
    ),
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
