"""Failures of permissions: policies of the account and the organization, roles, and encryption keys."""

from __future__ import annotations

from centralized_ml_api.aws.failures.failure import FORBIDDEN, Failure, Rank

_DENIED = "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"
_LIMITS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
_ORGANIZATION = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html"

FAILURES: tuple[Failure, ...] = (
    Failure(
        "organization-policy",
        "a policy of the organization (SCP or RCP) forbids it, whatever the account allows",
        (r"(service|resource) control policy",),
        "more rights in this account do not help. If the policy demands a permissions boundary, tags, a"
        " network or a private API, name them under `aws` in the config. Otherwise ask who manages the AWS"
        " organization for an exemption, or deploy to a region, instance type or account that it allows",
        docs=_ORGANIZATION,
    ),
    Failure(
        "boundary",
        "a permissions boundary forbids it, whatever other policies allow",
        (r"(no|in a) permissions boundary",),
        "ask the account's administrator which boundary new roles must have, name it in the config"
        " (`aws.permissions_boundary`), and bootstrap with it: npx cdk bootstrap"
        " --custom-permissions-boundary NAME",
        docs="https://docs.aws.amazon.com/cdk/v2/guide/customize-permissions-boundaries.html",
    ),
    Failure(
        "explicit-deny",
        "a policy forbids it outright",
        (r"explicit deny(?! in a (permissions boundary|(service|resource) control|vpc endpoint|session))",),
        "more rights do not help: ask the account's administrator which policy denies it and on what terms it"
        " would not, such as multi-factor sign-in, a region, or a boundary on new roles",
        docs=_DENIED,
    ),
    Failure(
        "endpoint-policy",
        "the network's VPC endpoint, or the session's own policy, does not allow it",
        (r"(because no|in a) (vpc endpoint|sessions?) policy(?!.*control policy)",),
        "call from another network, or sign in with a role whose session has no such policy; ask the"
        " account's administrator, who can change either",
        docs=_DENIED,
    ),
    Failure(
        "no-permission",
        "these credentials do not have permission",
        (
            r"is not authorized to perform",
            r"user: \S+ is not authorized",
            r"api: \w+:\w+ (access denied|you are not authorized)",
            r"(operation|message|code|deny\w*)\W{1,12}access denied\b",
            r"you are not authorized to perform this operation",
        ),
        "ask the account's administrator for the permission that the message names",
        Rank.GENERAL,
        docs=_DENIED,
    ),
    Failure(
        "new-role",
        "a service cannot use a role: it is a moment too new, or missing",
        (
            r"(could not|cannot|unable to) assume (the )?(provided |iam )?role",
            r"must allow aws eventbridge scheduler to assume the role",
            r"role defined for the function cannot be assumed",
            r"provided execution role does not have permissions to call",
            r"role arn:\S{0,40}:role/(?!cdk-)\S+ is invalid or cannot be assumed",
            r"role arn does not have required permissions (configured|set to api gateway)",
            r"ensure that the provided iam role associated with \w+ is not deleted",
        ),
        "wait a minute, then run it again; if that does not help, the role's trust policy must name the"
        " service",
        docs="https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html",
    ),
    Failure(
        "unknown-principal",
        "a policy names a role, user or account that does not exist, or not yet",
        (r"invalid principal in policy",),
        "check that the account ids and roles in the config exist; if a role is new, run it again in a"
        " minute",
    ),
    Failure(
        "attached-policy",
        "somebody attached a policy to a role of the stack by hand",
        (r"cannot delete entity, must (detach|delete|remove)",),
        "detach it from the role in the IAM console, then run it again",
    ),
    Failure(
        "policy-size",
        "a role's policies are larger than IAM allows",
        (
            r"maximum policy size of \d+ bytes exceeded",
            r"cannot exceed quota for policysize",
            r"cannot exceed quota for policiesperrole",
        ),
        "a fixed limit: split the config into two deployments, the second with --stack NAME, or give one"
        " entry"
        " fewer permissions",
        docs=_LIMITS,
    ),
    Failure(
        "scaling-permission",
        "whoever deletes the endpoint may not remove its scaling",
        (r"does not have application-autoscaling:\w+ permission",),
        "ask the account's administrator for that permission, then run it again; or remove the scaling first:"
        " aws application-autoscaling deregister-scalable-target",
    ),
    Failure(
        "key-grant",
        "the function's role was made again under its old name, and its key still knows the old one",
        (r"unable to decrypt the environment variables because kms access was denied",),
        "let AWS create the function anew: remove its entry, deploy, add it again; the role is then the"
        " new one",
        docs="https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html",
    ),
    Failure(
        "key",
        "an encryption key (KMS) does not exist here, or may not be used",
        (
            r"(?<!kms message: )the ciphertext refers to a customer master key",
            r"the specified kms key does not exist or is not allowed to be used",
            rf"not authorized to perform: kms:(?!{FORBIDDEN})",
            r"kms key (is|not) .{0,20}(disabled|found|pending)|kmsinvalidstate|kms\.\w+exception",
        ),
        "give the role permission for the key in the key's own policy (kms:Decrypt, kms:GenerateDataKey), and"
        " check that the key is in this region",
        docs="https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html",
    ),
    Failure(
        "layer",
        "a layer does not exist, or this account may not use it",
        (
            r"layer version .{0,200}(does not exist|not found)",
            rf"perform: lambda:getlayerversion(?!{FORBIDDEN})",
        ),
        "check the ARN under `layers`: its region, its version and its permissions",
    ),
)
