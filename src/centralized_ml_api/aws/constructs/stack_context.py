"""What a stack knows of where it is deployed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from aws_cdk import Stack

if TYPE_CHECKING:
    from aws_cdk import IStackSynthesizer
    from constructs import Construct


class StackContext:
    """The stack of a construct, whose properties are asked for once: each question is a call to Node.

    All of them are the same in the stacks nested in it, but the name. They may be tokens.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
    """

    def __init__(self, scope: Construct) -> None:
        self.stack = Stack.of(scope)

    @cached_property
    def partition(self) -> str:
        """Such as `aws` or `aws-cn`."""
        return self.stack.partition

    @cached_property
    def account(self) -> str:
        """Twelve digits."""
        return self.stack.account

    @cached_property
    def region(self) -> str:
        """Such as `eu-west-1`."""
        return self.stack.region

    @cached_property
    def stack_name(self) -> str:
        """CloudFormation's name of the stack."""
        return self.stack.stack_name

    @cached_property
    def synthesizer(self) -> IStackSynthesizer:
        """What takes files to S3, those of nested stacks too."""
        return self.stack.synthesizer
