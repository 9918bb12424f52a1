"""The AWS target: translates the plan into CloudFormation, and calls the CDK CLI and AWS around it."""
