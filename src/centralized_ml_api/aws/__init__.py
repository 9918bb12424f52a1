"""The AWS target: translates the plan into CloudFormation, and calls the CDK CLI and AWS around it.

In the order in which an organizer meets them:

doctor     what would prevent a deploy
planning   what will exist, its limits and its prices
app        what the CDK CLI runs: it makes the templates, from `document` and `constructs`
deploy     the deploy itself, and the end; `cdk` runs the CDK CLI for it
stack      what is deployed then
event      what changes while the event runs
usage      what was called and used
organizer  the screen, with what can be done there

Below all of them: `clients` of AWS, `settings` (which config, stack and region) and `failures` (what an error
of AWS means).
"""
