"""What all constructs of a stack are told: where it is deployed, and how long its logs are kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import Stack, Stage

if TYPE_CHECKING:
    from aws_cdk import IStackSynthesizer
    from constructs import Construct


@dataclass(frozen=True, slots=True)
class NetworkPolicies:
    """The ARNs of the policies that roles of models and of functions need in a network; empty without one."""

    models: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()


class StackContext:
    """The stack of a construct, whose properties are read once: each read is a call to Node.

    All but the name are the same in the stacks nested in it. They may be tokens.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
    """

    def __init__(
        self,
        scope: Construct,
        *,
        log_retention_days: int,
        network_policies: NetworkPolicies = NetworkPolicies(),  # immutable
    ) -> None:
        self.stack = Stack.of(scope)
        self.log_retention_days = log_retention_days
        self.network_policies = network_policies

    @cached_property
    def partition(self) -> str:
        """Returns the partition, such as `aws` or `aws-cn`."""
        return self.stack.partition

    @cached_property
    def account(self) -> str:
        """Returns the account's twelve digits."""
        return self.stack.account

    @cached_property
    def region(self) -> str:
        """Returns the region, such as `eu-west-1`."""
        return self.stack.region

    @cached_property
    def stack_name(self) -> str:
        """Returns CloudFormation's name of the stack."""
        return self.stack.stack_name

    @cached_property
    def synthesizer(self) -> IStackSynthesizer:
        """Returns what ships files to S3, those of nested stacks too."""
        return self.stack.synthesizer

    @cached_property
    def output_folder(self) -> Path:
        """Returns the folder that the app writes, with what it ships."""
        stage = Stage.of(self.stack)
        return Path(stage.outdir if stage else ".")
