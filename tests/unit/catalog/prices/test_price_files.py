"""Prices: AWS's own format, the list that ships, what is kept, and how the list is brought up to date."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from centralized_ml_api.catalog.prices.offer import read_bulk_file, read_query_answer
from centralized_ml_api.catalog.prices.price_files import (
    FILE,
    FRESH,
    USABLE,
    build_price_list,
    load_kept_prices,
    load_shipped_prices,
    save_prices,
)
from support.price_list import ROWS, build_bulk_file, build_query_answer

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[4]
CATALOG = ROOT / "src/centralized_ml_api/catalog"
REGION = "us-east-1"
NOW = datetime(2026, 10, 2, tzinfo=UTC)
HOSTING = {"ml.g5.2xlarge": Decimal("1.515"), "ml.m5.xlarge": Decimal("0.23")}


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("price_builder", ROOT / "tools/build_price_list.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where prices are kept, empty at first."""
    monkeypatch.setenv("MLAPI_CACHE", str(tmp_path))
    return tmp_path / "prices"


def test_hosting_alone_is_read_from_a_bulk_file() -> None:
    offer = read_bulk_file(build_bulk_file(), REGION)
    assert (offer.published, offer.hourly) == (date(2026, 10, 1), HOSTING)


def test_a_query_says_the_same_as_a_bulk_file() -> None:
    assert read_query_answer(build_query_answer()["PriceList"], REGION) == read_bulk_file(
        build_bulk_file(), REGION
    )


def test_a_type_with_two_prices_has_none_and_a_free_tier_is_no_price() -> None:
    rows = (*ROWS, ("Hosting", "ml.g5.2xlarge", "1.6"), ("Hosting", "ml.m5.xlarge", "0.0000000000"))
    assert read_bulk_file(build_bulk_file(*rows), REGION).hourly == {"ml.m5.xlarge": Decimal("0.23")}


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        "{}",
        build_bulk_file(region="eu-west-1"),
        build_bulk_file(("Training", "ml.g5.2xlarge", "1")),
        build_bulk_file(publicationDate=""),
        build_bulk_file(products=[1], terms={"OnDemand": 3}),
        build_bulk_file(("Hosting", "ml.g5.2xlarge", "free")),
    ],
)
def test_what_is_no_price_list_of_the_region_is_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        read_bulk_file(text, REGION)


def test_each_shipped_price_is_a_positive_amount_with_a_day_and_an_address() -> None:
    for region in json.loads((CATALOG / FILE).read_text(encoding="utf-8"))["regions"]:
        prices = load_shipped_prices(region)
        every = [*prices.instances.values(), *(prices.requests.all if prices.requests else ())]
        assert prices.road == "shipped"
        for price in every:
            assert price.usd > 0
            assert price.source.url.startswith("https://")
            assert date(2021, 1, 1) < price.source.day


def test_every_shipped_source_is_used_and_the_notice_speaks_of_the_file() -> None:
    written = json.loads((CATALOG / FILE).read_text(encoding="utf-8"))
    used = {
        price["source"]
        for region in written["regions"].values()
        for prices in region.values()
        for price in prices.values()
    }
    assert used == set(written["sources"])
    notice = (CATALOG / "prices/NOTICE").read_text(encoding="utf-8")
    assert "tools/build_price_list.py" in notice


def test_a_region_that_nobody_recorded_has_no_prices_rather_than_another_regions() -> None:
    prices = load_shipped_prices("eu-south-2")
    assert (prices.instances, prices.requests) == ({}, None)


@pytest.mark.usefixtures("kept")
def test_kept_prices_come_back_with_their_day_and_age() -> None:
    asked = build_price_list(read_bulk_file(build_bulk_file(), REGION), REGION)
    save_prices(asked, NOW)
    again = load_kept_prices(REGION, NOW + FRESH, FRESH)
    assert again is not None
    assert (again.instances, again.requests, again.road) == (asked.instances, asked.requests, "kept")
    later = NOW + FRESH + timedelta(seconds=1)
    assert load_kept_prices(REGION, later, FRESH) is None
    assert load_kept_prices(REGION, later, USABLE) is not None
    assert load_kept_prices("eu-west-1", NOW, USABLE) is None


@pytest.mark.parametrize("damaged", ["{", "{}", '{"url": 1}'])
def test_damaged_prices_are_left_out(damaged: str, kept: Path) -> None:
    save_prices(build_price_list(read_bulk_file(build_bulk_file(), REGION), REGION), NOW)
    (file,) = kept.iterdir()
    file.write_text(damaged)
    assert load_kept_prices(REGION, NOW, USABLE) is None


def test_the_tool_replaces_the_instances_of_a_region_and_nothing_else(
    builder: ModuleType, tmp_path: Path
) -> None:
    before = json.loads((CATALOG / FILE).read_text(encoding="utf-8"))
    copy = tmp_path / "prices.json"
    copy.write_text(json.dumps(before))
    (tmp_path / f"{REGION}.json").write_text(build_bulk_file())
    done = CliRunner().invoke(builder.main, [REGION, "--folder", str(tmp_path), "--list", str(copy)])
    assert (done.exit_code, done.output) == (0, "us-east-1: 2 instance types, published 2026-10-01\n")
    after = json.loads(copy.read_text())
    assert after["regions"][REGION]["instances"] == {
        name: {"usd": str(usd), "source": "aws-us-east-1-2026-10-01"} for name, usd in HOSTING.items()
    }
    assert after["regions"][REGION]["requests"] == before["regions"][REGION]["requests"]
    assert after["regions"]["us-east-2"] == before["regions"]["us-east-2"]
    assert "fmbench-2.1.1" not in after["sources"]
