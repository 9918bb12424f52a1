"""Asks our catalogue about models of a mirror: `python ask_catalogue.py MIRROR COUNT`.

Prints JSON: the answer for the first model, and the seconds for each of the others.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

from centralized_ml_api.catalog.catalog import open_catalog

if TYPE_CHECKING:
    from centralized_ml_api.catalog.catalog import Catalog


def ask(catalog: Catalog, number: int) -> dict[str, Any]:
    """Returns what a deployment needs to know about a model, on its default instance."""
    facts = catalog.resolve(f"acme-textgeneration-tiny-{number}", region="us-east-1")
    return {
        "instance": facts.instance,
        "image": facts.image,
        "data": facts.model_data.uri if facts.model_data else None,
        "environment": dict(facts.environment),
    }


def main() -> None:
    """Prints the answer and the times."""
    mirror, count = sys.argv[1], int(sys.argv[2])
    catalog = open_catalog(environment={"MLAPI_JUMPSTART_MIRROR": mirror, "MLAPI_CACHE": f"{mirror}/cache"})
    answer = ask(catalog, 0)
    seconds = []
    for number in range(1, count):
        begun = time.perf_counter()
        ask(catalog, number)
        seconds.append(time.perf_counter() - begun)
    sys.stdout.write(json.dumps({"answer": answer, "seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()
