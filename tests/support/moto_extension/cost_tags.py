"""The gap: `UpdateCostAllocationTagsStatus` is not there. It says yes to every tag, as to a known one."""

from __future__ import annotations

import json

from moto.ce.responses import CostExplorerResponse

from support.moto_extension.replaced import replace_attribute


def close() -> None:
    """Cost Explorer activates tags.

    Source: https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_UpdateCostAllocationTagsStatus.html
    """
    replace_attribute(CostExplorerResponse, "update_cost_allocation_tags_status", _update)


def _update(self: CostExplorerResponse) -> str:
    del self
    return json.dumps({"Errors": []})
