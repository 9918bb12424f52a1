from __future__ import annotations

import resource

import pytest

from centralized_ml_api.local.envoy.descriptors import fit_connections


@pytest.mark.parametrize(
    ("most", "clients"),
    [(resource.RLIM_INFINITY, 4096), (1_048_576, 4096), (4096, 1344), (1024, 320), (256, 64), (10, 1)],
)
def test_so_many_clients_may_connect_that_models_can_be_reached_for_all(most: int, clients: int) -> None:
    assert fit_connections(4096, most) == clients


def test_no_more_than_wanted() -> None:
    assert fit_connections(2, 1024) == 2
