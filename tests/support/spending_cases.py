"""The decisions about tokens and dollars, as cases for both languages: `spending_cases.json`.

calls    limits, each [owner, unit, period, most], with what is used of each and pending; a call's need in
         [tokens, nanodollars]; what it is charged, or how it is refused; headers, and `GET /v1/usage`
needs    bodies, with what a call needs at most, or why it is refused
bytes    the same for bodies that only their model reads
caches   bodies, and whether they may ask a provider to write a cache
endings  how calls end, with what they have used in [tokens, nanodollars]; null for all of it
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CASES: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("spending_cases.json").read_text(encoding="utf-8")
)
