"""The gap: `AWS::Budgets::Budget` is skipped."""

from __future__ import annotations

from typing import Any, ClassVar

from moto.budgets.models import budgets_backends
from moto.core.common_models import CloudFormationModel

from support.moto_extension.added_resource import AddedResource, Properties


def close() -> None:
    """Defining the class is enough: moto looks for subclasses."""


class Budget(AddedResource, CloudFormationModel):
    """A budget with its notifications; an update makes another."""

    type_name: ClassVar[str] = "AWS::Budgets::Budget"

    @classmethod
    def write(cls, name: str, properties: Properties, account_id: str, region: str) -> str:
        """Makes it."""
        del region
        backend = budgets_backends[account_id]["aws"]
        backend.budgets[account_id].pop(name, None)
        written: dict[str, Any] = {**properties["Budget"], "BudgetName": name}
        limit = written["BudgetLimit"]
        written["BudgetLimit"] = {**limit, "Amount": str(limit["Amount"])}
        backend.create_budget(account_id, written, properties["NotificationsWithSubscribers"])
        return name

    @classmethod
    def update(
        cls, before: AddedResource, name: str, properties: Properties, account_id: str, region: str
    ) -> str:
        """Another one takes its place, as when its subscribers change on AWS."""
        before.delete(account_id, region)
        return cls.write(name, properties, account_id, region)

    def delete(self, account_id: str, region: str) -> None:
        """Removes it."""
        del region
        budgets_backends[account_id]["aws"].delete_budget(account_id, self.physical_resource_id)
