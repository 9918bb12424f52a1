"""Plans a stack before any of it exists: what it will be, what of AWS's limits it exceeds, what it costs.

load              the plan of a config
early_plan        the same while Node starts
limits            AWS's quotas, and what of a synthesized template exceeds them
limit_estimates   what of a plan would exceed them
template_amounts  how much of each quota a template has
instance_prices   what an hour of an instance costs
"""
