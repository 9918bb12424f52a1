"""C6: what a company's account demands, `aws`: ARNs and their regions, tags, networks, what excludes what."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.schema.aws import LOG_DAYS
from centralized_ml_api.config.wording import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.document.node import Node
    from centralized_ml_api.errors import Problem

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ARNS = {
    "permissions_boundary": (
        r"arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy/[\w+=,.@/-]+",
        "arn:aws:iam::<12 digits>:policy/<name>",
    ),
    "execution_role": (
        r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
        "arn:aws:iam::<12 digits>:role/<name>",
    ),
    "waf_acl": (
        rf"arn:aws[a-z-]*:wafv2:(?P<region>[a-z0-9-]+):\d{{12}}:regional/webacl/[\w-]+/{_UUID}",
        "arn:aws:wafv2:<region>:<12 digits>:regional/webacl/<name>/<id>",
    ),
    "certificate": (
        rf"arn:aws[a-z-]*:acm:(?P<region>[a-z0-9-]+):\d{{12}}:certificate/(?:{_UUID}|[\w-]+)",
        "arn:aws:acm:<region>:<12 digits>:certificate/<id>",
    ),
}
"""The keys that take an ARN: its form, and how to say it."""

_BOUNDARY = "arn:aws:iam::123456789012:policy/Boundary"
_CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1a2b3c4d-1111-2222-3333-444455556666"

MOST_TAGS = 40
"""Of the 50 that a resource may have: the stack, the keys of teams and CloudFormation add some.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-add-tags.html
"""

_TAG_TEXT = re.compile(r"[\w\s.:/=+@-]*")
_TAG_KEY, _TAG_VALUE = 128, 256
_API_SECONDS = 29


def _aws(context: Context) -> Node[dict[str, object]] | None:
    return context.root.object("aws")


def _written_arns(context: Context) -> Iterator[tuple[str, Node[str]]]:
    aws = _aws(context)
    domain = aws.object("domain") if aws else None
    for key in _ARNS:
        within = domain if key == "certificate" else aws
        arn = within.string(key) if within else None
        if arn:
            yield key, arn


def _check_arns(context: Context) -> Iterator[Problem]:
    for key, arn in _written_arns(context):
        form, expected = _ARNS[key]
        if not re.fullmatch(form, arn.value):
            yield OTHER_ARN.problem(
                arn.location,
                found=quoted(arn.value),
                expected=expected,
                fix="copy the whole ARN from the console, or ask whoever looks after the account",
            )


OTHER_ARN = CheckedRule(
    id="C601",
    title="not the ARN that this key takes",
    meaning="""\
Each key of `aws` that takes an ARN takes one of a certain kind: `permissions_boundary` that of an IAM
policy, `execution_role` that of an IAM role, `waf_acl` that of a regional web ACL of AWS WAF, and
`certificate` that of a certificate in ACM.""",
    example=Example(
        at="$.aws",
        wrong='"permissions_boundary": "Boundary"',
        right=f'"permissions_boundary": "{_BOUNDARY}"',
    ),
    check=_check_arns,
)


def _check_regions(context: Context) -> Iterator[Problem]:
    for key, arn in _written_arns(context) if context.region else []:
        match = re.fullmatch(_ARNS[key][0], arn.value)
        region = match.groupdict().get("region") if match else None
        if region and region != context.region:
            yield OTHER_REGION.problem(
                arn.location,
                found=f"{quoted(key)} in {region}: {quoted(arn.value)}",
                expected=f"one in {context.region}, the region of the deployment",
                fix=f"make one in {context.region}, or deploy to {region}",
            )


OTHER_REGION = CheckedRule(
    id="C602",
    title="certificate or web ACL in another region",
    meaning="""\
The API is a regional one: its certificate (ACM) and its web ACL (AWS WAF) must be in the region of the
deployment. This is checked only when that region is known.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-regional-api-custom-domain-create.html""",
    example=Example(
        at="$.aws",
        wrong='"domain": {"name": "models.example.com", "certificate": "'
        + _CERTIFICATE.replace("us-east-1", "eu-west-1")
        + '"}',
        right=f'"domain": {{"name": "models.example.com", "certificate": "{_CERTIFICATE}"}}',
    ),
    check=_check_regions,
)


def _check_tags(context: Context) -> Iterator[Problem]:
    aws = _aws(context)
    tags = aws.object("tags") if aws else None
    if tags is None:
        return
    if len(tags.value) > MOST_TAGS:
        yield UNUSABLE_TAG.problem(
            tags.location,
            found=f"{len(tags.value)} tags",
            expected=f"at most {MOST_TAGS}",
            fix="leave some out",
        )
    for key, value in tags.value.items():
        wrong = _wrong_with(key, value) if isinstance(value, str) else ""
        if wrong:
            yield UNUSABLE_TAG.problem(
                context.document.key_location((*tags.path, key)),
                found=f"{quoted(key)}: {wrong}",
                expected="up to 128 characters, and up to 256 of a value: letters, digits, spaces, _.:/=+-@",
                fix="change the tag",
            )


def _wrong_with(key: str, value: str) -> str:
    if key.lower().startswith("aws:"):
        return "names that begin with aws: belong to AWS"
    if not 0 < len(key) <= _TAG_KEY or len(value) > _TAG_VALUE:
        return "too long, or empty"
    return "" if _TAG_TEXT.fullmatch(key) and _TAG_TEXT.fullmatch(value) else "a character that AWS refuses"


UNUSABLE_TAG = CheckedRule(
    id="C603",
    title="tag that AWS refuses",
    meaning="""\
A tag has a key of up to 128 and a value of up to 256 characters: letters, digits, spaces and `_.:/=+-@`.
Keys that begin with `aws:` belong to AWS. Up to 40 tags fit beside those that the stack has of its own.

Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html""",
    example=Example(
        at="$.aws", wrong='"tags": {"aws:owner": "me"}', right='"tags": {"owner": "data-science"}'
    ),
    check=_check_tags,
)


def _check_networks(context: Context) -> Iterator[Problem]:
    aws = _aws(context)
    for network in aws.strings("allow_from") if aws else []:
        better = _nearest_network(network.value)
        if better != network.value:
            yield MALFORMED_NETWORK.problem(
                network.location,
                found=quoted(network.value),
                expected='a network, such as "203.0.113.0/24" or, for one address, "203.0.113.7/32"',
                fix=f"write {quoted(better)}" if better else "",
            )


def _nearest_network(written: str) -> str:
    """Returns the network that the text names or nearly names; empty where it names none."""
    try:
        network = ipaddress.ip_network(written.strip(), strict=False)
    except ValueError:
        return ""
    return written if written.lower() == str(network) else str(network)


MALFORMED_NETWORK = CheckedRule(
    id="C604",
    title="malformed network",
    meaning="""\
`allow_from` lists networks in CIDR notation: an address, `/`, and how many of its bits all addresses of the
network share. The other bits of the address are 0. A single address of IPv4 ends with `/32`.""",
    example=Example(
        at="$.aws", wrong='"allow_from": ["203.0.113.7/24"]', right='"allow_from": ["203.0.113.0/24"]'
    ),
    check=_check_networks,
)


def _check_private(context: Context) -> Iterator[Problem]:
    aws = _aws(context)
    domain = aws.member("domain") if aws and aws.strings("private") else None
    if domain:
        yield PRIVATE_DOMAIN.problem(
            domain.key_location,
            found='"domain" as well as "private"',
            expected="one of the two",
            fix='remove "domain": make the name a record of your private DNS that leads to the VPC endpoint',
        )


PRIVATE_DOMAIN = CheckedRule(
    id="C605",
    title="domain of a private API",
    meaning="""\
A private API is reachable only through its VPC endpoints, and a public domain name cannot lead to it. Use the
address that `mlapi deploy` prints, which names the VPC endpoint, or a record of your private DNS.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-apis.html""",
    example=Example(
        at="$.aws",
        wrong='"private": ["vpce-0a1b2c3d4e5f60718"],'
        f' "domain": {{"name": "models.example.com", "certificate": "{_CERTIFICATE}"}}',
        right='"private": ["vpce-0a1b2c3d4e5f60718"]',
    ),
    check=_check_private,
)


def _check_timeout(context: Context) -> Iterator[Problem]:
    aws = _aws(context)
    timeout = aws.integer("integration_timeout") if aws else None
    if timeout and timeout.value > _API_SECONDS:
        yield RAISED_TIMEOUT.problem(
            timeout.location,
            found=f"{timeout.value} seconds",
            expected=f"a quota of {timeout.value * 1000}; it is {_API_SECONDS * 1000} unless it was raised",
            fix='first request more "Maximum integration timeout in milliseconds" in Service Quotas',
        )


RAISED_TIMEOUT = CheckedRule(
    id="C606",
    title="timeout that needs a raised quota",
    severity="warning",
    meaning="""\
API Gateway waits 29 seconds for an answer. For a regional or private API an account may have more, which it
requests in Service Quotas: "Maximum integration timeout in milliseconds". AWS may lower the account's limit
of requests per second for it. A deploy before that fails; `mlapi doctor` looks it up.

Source:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html""",
    example=Example(at="$.aws", wrong='"integration_timeout": 120', right='"integration_timeout": 29'),
    check=_check_timeout,
)


def _check_days(context: Context) -> Iterator[Problem]:
    aws = _aws(context)
    days = aws.integer("log_retention_days") if aws else None
    if days and LOG_DAYS[0] <= days.value <= LOG_DAYS[-1] and days.value not in LOG_DAYS:
        yield OTHER_DAYS.problem(
            days.location,
            found=f"{days.value} days",
            expected=listed(map(str, LOG_DAYS)),
            fix=f"write {next(longer for longer in LOG_DAYS if longer > days.value)}",
        )


OTHER_DAYS = CheckedRule(
    id="C607",
    title="log retention that CloudWatch does not offer",
    meaning="""\
CloudWatch keeps logs for certain numbers of days, and refuses others.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html""",
    example=Example(at="$.aws", wrong='"log_retention_days": 31', right='"log_retention_days": 60'),
    check=_check_days,
)

RULES = (
    *(OTHER_ARN, OTHER_REGION, UNUSABLE_TAG, MALFORMED_NETWORK),
    *(PRIVATE_DOMAIN, RAISED_TIMEOUT, OTHER_DAYS),
)
