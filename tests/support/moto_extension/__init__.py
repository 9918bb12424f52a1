"""moto, the AWS simulator, taught what it leaves out of CloudFormation. For tests only.

Plain moto answers CREATE_COMPLETE for resources that it skips, and updates by comparing the texts of two
templates. Each module here closes one such gap and says which. `python -m support.moto_extension PORT` is
moto's own server with all of them; whatever is still missing ends up in its log as
`No Moto CloudFormation support`, which the tests look for.
"""

from __future__ import annotations

from support.moto_extension import (
    account,
    account_numbers,
    alarm,
    atomic_updates,
    bucket_policy,
    budget,
    change_set,
    cost_tags,
    deletion,
    deployment,
    event_invoke_config,
    function_settings,
    inference_component,
    instance_types,
    known_types,
    managed_policy,
    nested_stack,
    organization,
    previous_values,
    pricing,
    rest_api,
    role,
    sagemaker_endpoint,
    sagemaker_model,
    sagemaker_names,
    scalable_target,
    scaling_policy,
    schedule,
    ssm_parameter,
    stack_tags,
    stage,
    topic_policy,
    update,
    usage_plan,
)

GAPS = (
    account,
    alarm,
    atomic_updates,
    bucket_policy,
    budget,
    change_set,
    cost_tags,
    deletion,
    deployment,
    event_invoke_config,
    function_settings,
    inference_component,
    instance_types,
    managed_policy,
    nested_stack,
    previous_values,
    pricing,
    account_numbers,  # after pricing, which answers before moto too
    rest_api,
    role,
    sagemaker_endpoint,
    sagemaker_model,
    sagemaker_names,
    scalable_target,
    scaling_policy,
    schedule,
    ssm_parameter,
    stack_tags,
    stage,
    topic_policy,
    update,
    usage_plan,
    organization,  # knows the tags of stacks
    known_types,  # last: moto collects its types anew
)
"""In the order in which they are closed."""


def close_gaps() -> None:
    """Changes moto in this process, for good."""
    for gap in GAPS:
        gap.close()
