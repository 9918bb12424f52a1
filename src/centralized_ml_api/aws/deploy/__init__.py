"""Deploys a stack, compares it with its config, extends and destroys it.

deployment     the four, through the CDK CLI where it can
changes        what callers would notice of a deploy
template_diff  what CloudFormation would replace
account        who deploys
log_role       whose role API Gateway writes logs with
cost_tag       the tag by which a budget counts
leftovers      what is left after a destroy
"""
