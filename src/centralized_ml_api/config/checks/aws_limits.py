"""C7: quotas of AWS that a whole config exceeds; `cli.aws_limits` finds it once its plan for AWS is built."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

EXCEEDED = Rule(
    id="C701",
    title="more than AWS allows",
    meaning="""\
On AWS this config would need more of something than AWS allows: the problem names the quota, how much the
config needs, and what to do. Sizes of templates are estimates, within a tenth; `mlapi deploy` measures the
template itself and deploys nothing that exceeds a fixed quota. [AWS's limits](../explanation/aws-limits.md)
lists all of them. On one machine, none of this matters.""",
    example=Example(
        wrong="one config with 300 models",
        right="two configs with 150 models each, deployed with --stack First and --stack Second",
        suffix="",
    ),
    severity="warning",
)

RULES = (EXCEEDED,)
