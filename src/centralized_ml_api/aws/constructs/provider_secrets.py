"""The secrets with providers' keys: those of the stack, made empty, and who may read which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from centralized_ml_api.aws.constructs.resources import allow, build_resource
from centralized_ml_api.plan.aws.providers import find_secret_pattern
from centralized_ml_api.plan.aws.types import AdoptedSecret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from centralized_ml_api.aws.constructs.resources import Statement
    from centralized_ml_api.aws.constructs.stack_context import StackContext
    from centralized_ml_api.plan.aws.types import Secret


class ProviderSecrets(Construct):
    """A secret for each key that is put there after the deploy: no template and no stack event has a key.

    `own` are their ARNs, by their ids in the plan.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
    (without `SecretString` and `GenerateSecretString`, the secret is empty)
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        secrets: Iterable[Secret],
        stack_context: StackContext,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stack_context = stack_context
        self.own: Mapping[str, str] = {
            secret.id: build_resource(
                self,
                secret.id,
                "AWS::SecretsManager::Secret",
                {"Description": "A provider's key, put here after the deploy"},
            ).ref
            for secret in secrets
            if not isinstance(secret, AdoptedSecret)
        }

    def address(self, secret: Secret | None) -> str:
        """Returns how the function names a secret: its ARN, or the name that the config has."""
        if secret is None:
            return ""
        return secret.name if isinstance(secret, AdoptedSecret) else self.own[secret.id]

    def may_read(self, secrets: Iterable[Secret]) -> Iterable[Statement]:
        """Yields what allows to read exactly these secrets; nothing for none."""
        arns = [self._arn(secret) for secret in secrets]
        if arns:
            yield allow(["secretsmanager:GetSecretValue"], arns)

    def _arn(self, secret: Secret) -> str:
        if not isinstance(secret, AdoptedSecret):
            return self.own[secret.id]
        pattern, is_whole = find_secret_pattern(secret)
        here = self._stack_context
        where = f"arn:{here.partition}:secretsmanager:{here.region}:{here.account}:secret:"
        return pattern if is_whole else f"{where}{pattern}"
