"""What a company's account demands: which values are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

UUID = "1a2b3c4d-1111-2222-3333-444455556666"
CERTIFICATE = f"arn:aws:acm:us-east-1:123456789012:certificate/{UUID}"
ACL = f"arn:aws:wafv2:us-east-1:123456789012:regional/webacl/Ours/{UUID}"


@pytest.mark.parametrize(
    ("aws", "ids"),
    [
        ({}, []),
        ({"permissions_boundary": "arn:aws:iam::123456789012:policy/a/b"}, []),
        ({"permissions_boundary": "arn:aws:iam::aws:policy/PowerUserAccess"}, []),
        ({"permissions_boundary": "arn:aws:iam::123456789012:role/a"}, ["C601"]),
        ({"execution_role": "arn:aws-cn:iam::123456789012:role/path/a"}, []),
        ({"execution_role": "arn:aws:iam::123456789012:policy/a"}, ["C601"]),
        ({"waf_acl": ACL}, []),
        ({"waf_acl": ACL.replace("regional", "global")}, ["C601"]),
        ({"waf_acl": ACL.replace("us-east-1", "eu-west-1")}, ["C602"]),
        ({"domain": {"name": "a.example.com", "certificate": CERTIFICATE}}, []),
        ({"domain": {"name": "a.example.com", "certificate": ACL}}, ["C601"]),
        (
            {"domain": {"name": "a.example.com", "certificate": CERTIFICATE.replace("east", "west")}},
            ["C602"],
        ),
        ({"domain": {"name": "https://a.example.com", "certificate": CERTIFICATE}}, ["C015"]),
        ({"tags": {"a b": "x=y@z", "Ä": ""}}, []),
        ({"tags": {"AWS:x": "1"}}, ["C603"]),
        ({"tags": {"": "1"}}, ["C603"]),
        ({"tags": {"k" * 128: "v" * 256}}, []),
        ({"tags": {"k" * 129: "v"}}, ["C603"]),
        ({"tags": {"k": "v" * 257}}, ["C603"]),
        ({"tags": {"k": "a;b"}}, ["C603"]),
        ({"tags": {f"k{number}": "" for number in range(40)}}, []),
        ({"tags": {f"k{number}": "" for number in range(41)}}, ["C603"]),
        ({"allow_from": ["10.0.0.0/8", "203.0.113.7/32", "2001:DB8::/32", "0.0.0.0/0"]}, []),
        ({"allow_from": ["203.0.113.7"]}, ["C604"]),
        ({"allow_from": ["office"]}, ["C604"]),
        ({"integration_timeout": 29}, []),
        ({"integration_timeout": 300}, ["C606"]),
        ({"integration_timeout": 301}, ["C014", "C606"]),
        ({"log_retention_days": 31}, ["C607"]),
        ({"log_retention_days": 3653}, []),
        ({"log_retention_days": 3654}, ["C014"]),
        ({"private": ["vpce-0a1b2c3d"]}, []),
        ({"private": ["my-endpoint"]}, ["C015"]),
        ({"vpc": {"subnets": [], "security_groups": ["sg-0a1b2c3d"]}}, ["C014"]),
    ],
)
def test_what_an_account_may_demand(
    aws: dict[str, Any], ids: list[str], good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["aws"] = aws
    assert sorted(problem.id for problem in problems_of(good, ".json", "us-east-1")) == ids


def test_regions_count_only_where_one_is_known(good: dict[str, Any], problems_of: Callable[..., Any]) -> None:
    good["aws"] = {"waf_acl": ACL}
    assert problems_of(good) == ()
    del good["models"][1:]
    assert [problem.id for problem in problems_of(good, ".json", "eu-west-1")] == ["C602"]


def test_a_network_with_other_bits_is_corrected(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["aws"] = {"allow_from": ["203.0.113.7/24", "203.0.113.7"]}
    fixes = [problem.fix for problem in problems_of(good)]
    assert fixes == ['write "203.0.113.0/24"', 'write "203.0.113.7/32"']


def test_a_raised_timeout_counts_for_functions_too(
    good: dict[str, Any], problems_of: Callable[..., Any]
) -> None:
    good["aws"] = {"integration_timeout": 120}
    good["models"][0]["integration"]["properties"]["timeout"] = 120
    assert [problem.id for problem in problems_of(good)] == ["C606"]
    good["models"][0]["integration"]["properties"]["timeout"] = 121
    assert sorted(problem.id for problem in problems_of(good)) == ["C215", "C606"]
