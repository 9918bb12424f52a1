"""The config of the stack that an organizer works on."""

from __future__ import annotations

from typing import Any

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
ENTRY: dict[str, Any] = {
    "name": "chat",
    "image": IMAGE,
    "instance": "ml.g5.2xlarge",
    "integration": {"type": "api"},
    "price": {"input_per_million": 1, "output_per_million": 1},
}
CONFIG: dict[str, Any] = {
    "models": [ENTRY],
    "endpoints": [],
    "event": {
        "title": "Spring <i>Hack</i>",
        "teams": [{"name": "red", "usd": 2, "tokens_per_minute": 100}, "blue"],
        "join": {"teams": 3, "limits": {"tokens_per_day": 1000}},
        "ends": "2099-06-01T18:00:00Z",
    },
}
