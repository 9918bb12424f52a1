"""The shipped snapshot: what is in it, that all of it can be deployed, and how it is built."""

from __future__ import annotations

import gzip
import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.catalog.catalog import Catalog
from centralized_ml_api.catalog.resolve import resolve
from centralized_ml_api.catalog.sources.snapshot import Snapshot, lists, load_folded, unfold
from support.jumpstart import REGION

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[4]
DEFAULT = "huggingface-textgeneration-open-llama"
REGISTRY = "111122223333.dkr.ecr.{}.amazonaws.com"


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("builder", ROOT / "tools/build_jumpstart_snapshot.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def digest(version: str, **changes: Any) -> dict[str, Any]:
    """One version of one model as the library writes it."""
    written = {
        "modelId": "acme-textgeneration-tiny",
        "version": version,
        "defaultInstanceType": "ml.g5.2xlarge",
        "instanceTypes": ["ml.g5.2xlarge"],
        "prepackedArtifactKey": f"tiny/{version}/",
        "environment": {"WORKERS": 1},
        "instanceAliases": [
            {"region": region, "aliases": {"gpu": f"{REGISTRY.format(region)}/image:{tag}"}}
            for region, tag in (("us-east-1", "new"), ("eu-west-1", "old"))
        ],
        "instanceVariants": [
            {"instanceType": "g5", "imageUri": "$gpu"},
            {"instanceType": "ml.g5.2xlarge", "environment": {"SHARDS": "2"}},
        ],
        **changes,
    }
    return {key: value for key, value in written.items() if value is not None}


def test_it_has_the_models_of_both_wheels_and_stays_small() -> None:
    assert len(Snapshot().rows(REGION)) == 493
    assert (ROOT / "src/centralized_ml_api/catalog/snapshot/models.json.gz").stat().st_size < 40_000


def test_every_model_of_it_can_be_deployed_in_the_default_region() -> None:
    snapshot = Snapshot()
    for row in snapshot.rows(REGION):
        facts = resolve(snapshot.read(row, REGION).spec, region=REGION, accept_eula=True)
        assert facts.image or facts.model_package_arn, row.model_id


def test_the_model_of_the_default_config_is_whole_without_a_network() -> None:
    facts = Catalog([Snapshot()]).resolve(DEFAULT, region=REGION, instance="ml.g5.2xlarge")
    assert (facts.version, facts.source, facts.fidelity) == ("3.2.11", "snapshot", "partial")
    assert facts.image is not None
    assert facts.image.startswith(
        "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference:"
    )
    assert facts.model_data is not None
    assert facts.model_data.uri.startswith(
        f"s3://jumpstart-cache-prod-us-east-1/huggingface-textgeneration/{DEFAULT}/"
    )
    assert facts.environment["SM_NUM_GPUS"] == "1"
    assert facts.network_isolation is True


def test_it_names_its_source_and_licence() -> None:
    notice = (ROOT / "src/centralized_ml_api/catalog/snapshot/NOTICE").read_text()
    assert "Apache License, Version 2.0" in notice
    assert "0.1.320 and 0.1.312" in notice


def test_the_committed_one_is_packed_as_the_builder_packs(builder: ModuleType) -> None:
    committed = (ROOT / "src/centralized_ml_api/catalog/snapshot/models.json.gz").read_bytes()
    assert gzip.decompress(builder.pack(load_folded())) == gzip.decompress(committed)


def test_folding_and_unfolding_gives_the_facts_back(builder: ModuleType) -> None:
    folded = json.loads(json.dumps(builder.fold([digest("1.0.0")])))
    spec = unfold(folded, "acme-textgeneration-tiny")
    here, there = (resolve(spec, region=region) for region in ("us-east-1", "eu-west-1"))
    assert here.image == f"{REGISTRY.format('us-east-1')}/image:new"
    assert there.image == f"{REGISTRY.format('eu-west-1')}/image:old"
    assert here.environment == {"WORKERS": "1", "SHARDS": "2"}


def test_the_newest_usable_version_is_taken(builder: ModuleType) -> None:
    bare = digest("2.0.0", instanceAliases=None, instanceVariants=None)
    folded = builder.fold([digest("1.9.0"), bare, digest("1.10.0")])
    assert folded["models"]["acme-textgeneration-tiny"]["version"] == "1.10.0"


def test_the_same_wheels_in_any_order_give_the_same_bytes(builder: ModuleType) -> None:
    some = [digest("1.0.0", modelId=f"acme-tg-{letter}") for letter in "cab"]
    assert builder.pack(builder.fold(some)) == builder.pack(builder.fold(some[::-1]))


def test_two_registries_of_one_region_are_an_error(builder: ModuleType) -> None:
    other = digest("1.0.0", modelId="acme-tg-other")
    other["instanceAliases"][0]["aliases"]["gpu"] = "999.dkr.ecr.us-east-1.amazonaws.com/image:new"
    with pytest.raises(ValueError, match="us-east-1 has the registries"):
        builder.fold([digest("1.0.0"), other])


def test_every_catalogue_knows_what_the_package_ships() -> None:
    catalog = Catalog((Snapshot(),))
    assert {row.model_id for row in catalog.rows(REGION)} == set(load_folded()["models"])
    assert lists(DEFAULT)
    assert not lists("acme-unheard-of")
