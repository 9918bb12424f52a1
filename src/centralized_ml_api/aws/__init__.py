"""The AWS target: plan -> CloudFormation, and the CDK CLI and AWS itself around it."""
