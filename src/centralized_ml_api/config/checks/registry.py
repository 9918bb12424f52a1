"""Every rule there is, by family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.document import (
    bad_form,
    duplicate_key,
    empty,
    encoding,
    json_syntax,
    missing_key,
    nesting,
    not_one_of,
    out_of_range,
    plain_data,
    too_large,
    unknown_key,
    unreadable,
    wrong_type,
    yaml_syntax,
)
from centralized_ml_api.config.checks.event import (
    burst_alone,
    burst_small,
    email_form,
    ends_form,
    ends_past,
    team_duplicate,
    team_models,
    team_name,
)
from centralized_ml_api.config.checks.integration import (
    code_folder,
    environment_name,
    handler,
    header_duplicate,
    header_forbidden,
    header_form,
    header_redundant,
    iam_action,
    layer_arn,
    long_timeout,
    permission_broad,
    properties_missing,
    properties_unwanted,
    resource_arn,
    runtime_ended,
    runtime_retired,
    runtime_unknown,
)
from centralized_ml_api.config.checks.jumpstart import (
    deprecated,
    inexpressible_config,
    instance_pool,
    licence,
    lock_drift,
    publisher_note,
    script_mode,
    unavailable,
    unknown_config,
    unknown_model,
    unknown_version,
    unusable_entry,
    vulnerable,
)
from centralized_ml_api.config.checks.local import (
    command_empty,
    command_port,
    path_form,
    python_folder,
    url_form,
    weights_form,
    weights_missing,
)
from centralized_ml_api.config.checks.models import (
    autoscaling_order,
    instance_choice,
    instance_type,
    instances_duplicate,
    jumpstart_only,
    model_data,
    model_source,
    name_duplicate,
    name_form,
    name_reserved,
    package_arn,
    package_placeholder,
    package_region,
    sample_file,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.config.checks.context import Context
    from centralized_ml_api.config.rule import Rule
    from centralized_ml_api.errors import Problem

RULES: tuple[Rule, ...] = (
    unreadable.RULE,
    encoding.RULE,
    empty.RULE,
    json_syntax.RULE,
    yaml_syntax.RULE,
    duplicate_key.RULE,
    nesting.RULE,
    plain_data.RULE,
    too_large.RULE,
    unknown_key.RULE,
    missing_key.RULE,
    wrong_type.RULE,
    not_one_of.RULE,
    out_of_range.RULE,
    bad_form.RULE,
    name_form.RULE,
    instance_type.RULE,
    name_reserved.RULE,
    name_duplicate.RULE,
    model_source.RULE,
    model_data.RULE,
    jumpstart_only.RULE,
    package_placeholder.RULE,
    package_arn.RULE,
    package_region.RULE,
    instance_choice.RULE,
    instances_duplicate.RULE,
    autoscaling_order.RULE,
    sample_file.RULE,
    header_form.RULE,
    header_forbidden.RULE,
    header_duplicate.RULE,
    header_redundant.RULE,
    properties_missing.RULE,
    properties_unwanted.RULE,
    code_folder.RULE,
    handler.RULE,
    runtime_retired.RULE,
    runtime_unknown.RULE,
    runtime_ended.RULE,
    layer_arn.RULE,
    iam_action.RULE,
    permission_broad.RULE,
    long_timeout.RULE,
    resource_arn.RULE,
    environment_name.RULE,
    weights_form.RULE,
    weights_missing.RULE,
    command_port.RULE,
    url_form.RULE,
    path_form.RULE,
    python_folder.RULE,
    command_empty.RULE,
    team_duplicate.RULE,
    team_models.RULE,
    ends_form.RULE,
    ends_past.RULE,
    email_form.RULE,
    burst_alone.RULE,
    burst_small.RULE,
    team_name.RULE,
    unknown_model.RULE,
    unknown_version.RULE,
    unknown_config.RULE,
    inexpressible_config.RULE,
    licence.RULE,
    deprecated.RULE,
    vulnerable.RULE,
    unavailable.RULE,
    script_mode.RULE,
    unusable_entry.RULE,
    lock_drift.RULE,
    instance_pool.RULE,
    publisher_note.RULE,
)
"""In the order of their ids."""


def broken_rules(context: Context) -> Iterator[Problem]:
    """What every rule finds, rule by rule."""
    for rule in RULES:
        if rule.check:
            yield from rule.check(context)


def find_rule(written: str) -> Rule | None:
    """The rule of that id, written in capital or small letters."""
    return next((rule for rule in RULES if rule.id == written.strip().upper()), None)
