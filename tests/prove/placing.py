"""Chooses what is deployed: which models of the contract get an instance, of which type, at which price."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from contract.api import ALIASES, build_config
from contract.cases.keys import TEAMS

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

REGISTRIES = {
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-south-1": "720646828776",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ca-central-1": "341280168497",
    "eu-central-1": "492215442770",
    "eu-north-1": "662702820516",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}
"""Accounts that publish SageMaker's container for scikit-learn.

Source: https://github.com/aws/sagemaker-python-sdk (src/sagemaker/image_uri_config/sklearn.json)
"""

WANTED = ("echo", "chat", "same", "refuses", "breaks", "attributes", "translated", "words", "created")
"""Models that the container can be, in the order in which they get an instance."""

NEEDED = 2
"""Without the first two there is nothing to call."""

NOWHERE = "mlapi-prove-no-such-"
"""How the endpoint of every other entry is called, with its name: SageMaker has none of this name."""

_PLAIN = re.compile(r"ml\.(t2|m4|m5|m6i|m7i|c4|c5|c6i|c7i|r5)\.(medium|large|xlarge)")
"""Types with x86 processors and without accelerators, for a container that needs neither."""


@dataclass(frozen=True)
class Placed:
    """The types of the models that get an instance, and what all of them cost in US dollars an hour."""

    types: Mapping[str, str]
    hourly: Decimal


def image_of(region: str) -> str:
    """Returns the container of a region.

    Raises:
        KeyError: SageMaker's container is not known to be there.
    """
    return f"{REGISTRIES[region]}.dkr.ecr.{region}.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def place(prices: Mapping[str, Decimal], free: Mapping[str, int] | None, max_usd: Decimal) -> Placed:
    """Gives each model the cheapest type that the account may still run, until the money for an hour is used.

    Args:
        prices: of an hour, in US dollars, by type.
        free: how many instances of each type the account may still run; None where nobody knows.
        max_usd: what all of them may cost together.
    """
    cheapest = sorted((price, name) for name, price in prices.items() if _PLAIN.fullmatch(name))
    left = Counter(dict(free)) if free is not None else Counter({name: len(WANTED) for _, name in cheapest})
    types: dict[str, str] = {}
    hourly = Decimal(0)
    for model in WANTED:
        fitting = ((price, name) for price, name in cheapest if left[name] > 0)
        price, chosen = next(fitting, (Decimal(0), ""))
        if not chosen or hourly + price > max_usd:
            break
        types[model] = chosen
        hourly += price
        left[chosen] -= 1
    return Placed(types, hourly)


def build_proof_config(
    folder: Path, placed: Placed, *, image: str, model_data: str, ends: datetime
) -> dict[str, Any]:
    """Builds the contract's config for AWS; the functions are written into `folder`.

    Args:
        folder: of the config.
        placed: the models that get an instance. The other entries call an endpoint that does not exist.
        image: of the container.
        model_data: where the model lies in S3.
        ends: when the stack deletes itself, whatever becomes of this program.
    """
    models, endpoints = [], []
    for entry in build_config(folder, 1, 1)["models"]:
        behaviour = urlsplit(entry.get("local", {}).get("url", "")).path
        own = {key: entry[key] for key in ("name", "integration", "speaks") if key in entry}
        if entry["name"] not in placed.types:
            endpoints.append({**own, "endpoint_name": f"{NOWHERE}{entry['name']}"})
            continue
        environment = {
            "BEHAVES_AS": behaviour,
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        }
        hosted = {"image": image, "model_data": model_data, "instance": placed.types[entry["name"]]}
        models.append({**own, **hosted, "environment": environment})
    event = {"teams": TEAMS, "ends": ends.isoformat(timespec="seconds"), "aliases": ALIASES}
    return {"models": models, "endpoints": endpoints, "event": event}
