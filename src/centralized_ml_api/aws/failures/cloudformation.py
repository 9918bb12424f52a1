"""Failures of CloudFormation: the stack, its template, and what checks it."""

from __future__ import annotations

from centralized_ml_api.aws.failures.failure import Failure, Rank

_TROUBLESHOOTING = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html"
_LIMITS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"

FAILURES: tuple[Failure, ...] = (
    Failure(
        "stack-busy",
        "the stack is being changed, or is in a state that cannot be updated",
        (
            r"is in \S+ state and can ?not be (updated|deleted)",
            r"failed creation and rollback\. this state cannot be rolled back",
            r"failed deleting stack .{0,160} that had previously failed creation",
            r"cannot update in-progress endpoint",
        ),
        "wait until the operation ends; after a failed first deploy, destroy the stack, then deploy again",
        docs=_TROUBLESHOOTING,
    ),
    Failure(
        "concurrent-change",
        "AWS is still changing the same resource",
        (
            r"due to concurrent modification",
            r"an update is in progress for resource",
            r"can be created, updated, or deleted simultaneously",
            r"a conflicting conditional operation is currently in progress",
            r"is currently in the following state: '?(pending|inprogress)",
        ),
        "nothing is wrong: wait a minute, then run it again",
    ),
    Failure(
        "termination-protection",
        "somebody protected the stack against deletion",
        (r"terminationprotection is enabled",),
        "turn termination protection off in the CloudFormation console, then destroy the stack again",
        docs="https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html",
    ),
    Failure(
        "export-in-use",
        "another stack uses an output of this one",
        (r"export .{0,200} cannot be (deleted|updated|removed) as it is in use by",),
        "update or delete the other stack that the message names, then run it again",
    ),
    Failure(
        "replaced-name",
        "the change needs a new resource, but the old one still has its fixed name",
        (r"custom-named resource requires replacing",),
        "rename the entry in the config, or remove it, deploy, and add it again",
    ),
    Failure(
        "hook",
        "a CloudFormation hook of this account forbids a resource as it is",
        (
            r"hook failed with message",
            r"the following hook\(s\) failed: ",
            r"hook\(s\)/validation failed: \[(?!aws::earlyvalidation)",
            r"the following rule\(s\) failed: ",
        ),
        "show the message to whoever runs the account or the organization: the hook is theirs, and so is an"
        " exemption from it",
        docs="https://docs.aws.amazon.com/cloudformation-cli/latest/hooks-userguide/what-is-cloudformation-hooks.html",
    ),
    Failure(
        "early-validation",
        "CloudFormation checked the change beforehand and refused it",
        (r"early validation failed", r"validation failed: \[aws::earlyvalidation"),
        "nothing was changed. See what it found: aws cloudformation describe-events --stack-name <stack>;"
        " mostly something outside the stack already has a name of it, and must be deleted or renamed",
        Rank.CONSEQUENCE,
        docs="https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html",
    ),
    Failure(
        "faulty-template",
        "the generated template is wrong: a fault of this program",
        (
            r"circular dependency between resources",
            r"required property \[.{1,80}\] not found",
            r"unresolved resource dependencies",
            r"encountered unsupported property",
            r"invalid template (property|resource property)",
            r"properties validation failed for resource",
            r"model validation failed",
            r"template error: ",
            r"template format error: (?!number of |unrecognized resource types)",
            r"(required|extraneous) key \[.{1,80}\] (is )?not (found|permitted)",
            r"errors found during import: unable to put integration",
            r"aws arn for integration must contain",
        ),
        "report it with this message; what is deployed is unchanged",
    ),
    Failure(
        "resource-count",
        "the stack has more resources than CloudFormation allows",
        (r"number of resources, \d+, is greater than maximum allowed",),
        "a fixed limit: split the config into two deployments, the second with --stack NAME, or deploy fewer"
        " models and teams",
        docs=_LIMITS,
    ),
    Failure(
        "template-size",
        "the template is larger than CloudFormation allows",
        (
            r"template may not exceed \d+ bytes",
            r"at 'templatebody' failed to satisfy constraint",
            r"template .{0,80}exceeds? .{0,40}(limit|size|maximum)",
        ),
        "a fixed limit: split the config into two deployments, the second with --stack NAME, or deploy fewer"
        " models and teams",
        docs=_LIMITS,
    ),
    Failure(
        "custom-resource",
        "a function that helps CloudFormation did not answer",
        (
            r"did not receive a response from your custom resource",
            r"custom resource failed to stabilize",
            r"received response status \[failed\] from custom resource",
        ),
        "read the log of that function, /aws/lambda/<function>, then deploy again; report it if it repeats",
        docs=_TROUBLESHOOTING,
    ),
    Failure(
        "name-in-use",
        "a resource outside the stack already has this name",
        (
            r"cannot create already existing",
            r"(?<!api key )already exists(?! in the stack being)",
            r"endpoint with name .{0,80} in use",
        ),
        "delete or rename that resource, adopt an endpoint by listing it under `endpoints`,"
        " or give this deployment another name: --stack NAME",
        Rank.GENERAL,
    ),
    Failure(
        "deleted-outside",
        "a resource of the stack was deleted outside the stack",
        (r"resource of type '(?!aws::scheduler::)[\w:]+' with identifier '.{1,200}' was not found",),
        "remove its entry from the config, deploy, then add it again; or destroy the stack and deploy again",
    ),
    Failure(
        "region-without-type",
        "CloudFormation does not offer this type of resource in this region",
        (r"unrecognized resource types: \[",),
        "remove from the config what needs it, such as `event.budget`, or deploy to another region: --region",
    ),
    Failure(
        "first-failure",
        "a consequence of another failure",
        (
            r"the following resource\(s\) failed to (create|update)",
            r"embedded stack .{1,300} was not successfully",
            r"resource \w+ cancelled",
        ),
        "look at the first failed event of the stack in the CloudFormation console: it is the cause",
        Rank.CONSEQUENCE,
        docs=_TROUBLESHOOTING,
    ),
    Failure(
        "still-there",
        "some resources are left after the destroy",
        (r"delete_failed", r"could not be deleted", r"the following resource\(s\) failed to delete"),
        "delete what the message names by hand, then destroy the stack again",
        Rank.CONSEQUENCE,
    ),
)
