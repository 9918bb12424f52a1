from __future__ import annotations

import json
from math import inf

from centralized_ml_api.local.traffic.types import (
    Counted,
    Durations,
    Requests,
    SpendingLeft,
    TeamLimit,
    TokenCount,
    Traffic,
)

COUNTED = Counted(
    (Requests("chat", "red", 200, 1),),
    (Durations("chat", ((3.0, 1), (inf, 1)), 3.0),),
    {"chat": 2},
    (TokenCount("chat", "red", "in", estimated=True, count=9),),
)


def test_traffic_survives_json() -> None:
    left = SpendingLeft("red", "tokens", "day", 100, 7)
    traffic = Traffic(12.5, COUNTED, (TeamLimit("red", 5.0, 100, 7),), spending=(left,))
    text = json.dumps(traffic.to_json(), allow_nan=False)
    assert Traffic.from_json(json.loads(text)) == traffic
    assert Traffic.from_json(json.loads(json.dumps(Traffic(1.0, None).to_json()))) == Traffic(1.0, None)
