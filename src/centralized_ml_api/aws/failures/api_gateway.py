"""Failures of API Gateway: the API, its keys, its stages and its logs."""

from __future__ import annotations

from centralized_ml_api.aws.failures.failure import Failure

_VENDED_LOGS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html"

FAILURES: tuple[Failure, ...] = (
    Failure(
        "log-role",
        "API Gateway may not write logs in this account",
        (r"cloudwatch logs role arn must be set",),
        "set a CloudWatch log role in API Gateway's account settings, then deploy again",
        docs="https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html",
    ),
    Failure(
        "log-policies",
        "the region's resource policies for logs are full",
        (
            r"policy document length breaking cloudwatch logs constraints",
            r"insufficient permissions to enable logging",
            r"resource limit exceeded\. \(service: cloudwatchlogs",
        ),
        "there may be ten, of 5120 characters each, and every logging API adds to them. Delete old ones: aws"
        " logs describe-resource-policies, then aws logs delete-resource-policy. If there are few, ask for"
        " logs:CreateLogDelivery and logs:PutResourcePolicy",
        docs=_VENDED_LOGS,
    ),
    Failure(
        "path-characters",
        "a path has characters that API Gateway does not allow",
        (r"path part only allow", r"resource's path part"),
        "give the model a name of letters, digits, `-`, `_` and `.`: it is its path",
    ),
    Failure(
        "stage-in-use",
        "a stage that was made by hand still uses a part of the stack",
        (
            r"active stages pointing to this deployment",
            r"cannot delete usage plan .{0,80} because there are api stages",
        ),
        "in API Gateway's console, delete that stage or take it off the usage plan, then run it again",
    ),
    Failure(
        "key-value",
        "another API key of this region has the same value",
        (r"api key already exists",),
        "give this team another value, or delete the old key in API Gateway's console",
    ),
    Failure(
        "no-methods",
        "the API has no methods",
        (r"rest api doesn't contain any methods",),
        "add a model or a function to the config, then deploy again; report it if the config has one",
    ),
    Failure(
        "team-quota",
        "a team has used up its calls of this period",
        (r"key quota exhausted|quota limit for api stage", r"\"message\": ?\"limit exceeded\""),
        "the team can call again when the period ends; or raise its `requests_per_day` in the config and"
        " deploy",
    ),
)
