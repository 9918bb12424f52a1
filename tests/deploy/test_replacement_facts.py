"""What replaces a resource, compared with AWS's own data, of which the CDK CLI carries a copy."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.deploy.template_diff import REPLACING

if TYPE_CHECKING:
    from centralized_ml_api.aws.cdk.cdk_cli import CdkCli

pytestmark = pytest.mark.slow


def test_the_table_is_what_aws_documents(cdk: CdkCli) -> None:
    database = gzip.decompress((cdk.script.parents[1] / "db.json.gz").read_bytes())
    entities: list[dict[str, Any]] = json.loads(database)["schema"]["resource"]["entities"]
    documented = {entity["cloudFormationType"]: _replacing(entity) for entity in entities}
    assert dict(REPLACING) == {name: documented[name] for name in REPLACING}


def _replacing(entity: dict[str, Any]) -> frozenset[str]:
    properties: dict[str, Any] = entity["properties"]
    properties = properties.get("$dict", properties)
    return frozenset(name for name, each in properties.items() if each.get("causesReplacement") == "yes")
