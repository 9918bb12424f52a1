"""Runs the CDK CLI for a stack, in an account and region that are bootstrapped for it.

cdk_cli    the CLI: found or installed, and run
target     which stack it is run for
bootstrap  what each of its deploys needs in the account and region
"""
