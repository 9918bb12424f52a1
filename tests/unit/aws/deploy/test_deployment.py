"""What a destroy says of what is left."""

from __future__ import annotations

import pytest

from centralized_ml_api.aws.deploy.deployment import DestroyReport, check_gone
from centralized_ml_api.errors import DeployError


def test_leftovers_fail_the_destroy_by_name() -> None:
    check_gone(DestroyReport(("API x",), ()), "mlapi destroy")
    with pytest.raises(DeployError, match="SageMaker endpoint chat") as caught:
        check_gone(DestroyReport((), ("SageMaker endpoint chat",)), "mlapi destroy --stack Autumn")
    assert "run it again: mlapi destroy --stack Autumn\n" in caught.value.fix
    assert "troubleshoot-aws.md#still-there" in caught.value.fix
