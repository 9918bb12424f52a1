"""Failures of the CDK CLI: its version, and what it prepares an account with."""

from __future__ import annotations

from centralized_ml_api.aws.failures.failure import Failure, Rank

_BOOTSTRAP = "https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-troubleshoot.html"

FAILURES: tuple[Failure, ...] = (
    Failure(
        "not-bootstrapped",
        "this account and region are not bootstrapped for the CDK",
        (
            r"ssm parameter /cdk-bootstrap/.{0,40} not found",
            r"unable to fetch parameters \[/cdk-bootstrap/",
            r"has the environment been bootstrapped",
            r"requires bootstrap stack version|needs bootstrap stack version",
            r"bootstrap toolkit stack version \d+ or later is needed",
            r"unable to find bootstrap",
            r"role arn:\S{0,40}:role/cdk-\S+ is invalid or cannot be assumed",
        ),
        "run: npx cdk bootstrap; or, where a platform team has bootstrapped it under a qualifier of its own,"
        " name that: --qualifier NAME",
        docs=_BOOTSTRAP,
    ),
    Failure(
        "bootstrap-bucket",
        "an earlier bootstrap left its bucket, which is kept on deletion",
        (r"cdk-\w+-assets-\d+-[\w-]+ already exists",),
        "delete that bucket, which the CDK made for its own uploads, then run: npx cdk bootstrap",
        docs=_BOOTSTRAP,
    ),
    Failure(
        "bootstrap-access",
        "the CDK may not use its bucket, or another account has it",
        (r"bucket named 'cdk-.{1,80}' exists, but not in account",),
        "check which account you use (`doctor` shows it), then bootstrap it again: npx cdk bootstrap",
        docs=_BOOTSTRAP,
    ),
    Failure(
        "newer-bootstrap",
        "a newer CDK bootstrapped this account",
        (r"not downgrading existing bootstrap stack",),
        "nothing to do: the newer one works. Deploy without bootstrapping it again",
    ),
    Failure(
        "cdk-version",
        "the CDK CLI is older than the CDK library",
        (r"cdk cli is not compatible with the cdk library", r"cloud assembly schema version mismatch"),
        "install the version that belongs to it: make setup-aws in a clone; otherwise delete the folder"
        " node_modules in the state folder and run it again, which installs that version",
    ),
    Failure(
        "no-such-stack",
        "the CDK found no stack of this name",
        (r"no stacks match the name",),
        "check the name after --stack",
    ),
    Failure(
        "upload",
        "the CDK could not upload to the bucket of its bootstrap",
        (r"failed to publish (asset|one or more assets)",),
        "look for the reason in the lines before it in the log; if the bucket is gone, run: npx cdk"
        " bootstrap",
        Rank.CONSEQUENCE,
        docs=_BOOTSTRAP,
    ),
    Failure(
        "bootstrap-roles",
        "the CDK could not use the roles of its bootstrap",
        (r"could not be used to assume", r"current credentials could not"),
        "if the log names no other reason, bootstrap again with `npx cdk bootstrap`, or ask the account's"
        " administrator to let you assume the roles cdk-*",
        Rank.CONSEQUENCE,
        docs=_BOOTSTRAP,
    ),
)
