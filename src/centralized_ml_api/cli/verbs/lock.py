"""`mlapi lock`: the JumpStart models of a config, pinned."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.own_region import find_region
from centralized_ml_api.catalog.sources.lock import LOCK_NAME, Locked, render_lock
from centralized_ml_api.cli import output
from centralized_ml_api.cli.jumpstart import describe_origin, offline_option, tell_warnings
from centralized_ml_api.cli.options import config_argument, region_option
from centralized_ml_api.config.load import load_config
from centralized_ml_api.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.catalog.catalog import Catalog
    from centralized_ml_api.config.schema import ModelEntry


@click.command()
@config_argument
@region_option
@offline_option
def lock(config: Path, region: str | None, *, offline: bool) -> None:
    """Pin the JumpStart models of CONFIG: their versions, and what JumpStart says of them.

    Writes jumpstart.lock.json beside CONFIG. As long as that file is there, what comes of CONFIG does not
    change by itself; commit it. What was locked before is looked up anew.
    """
    loaded = load_config(config, now=datetime.now(UTC), region=region)
    catalog = open_catalog(offline=offline)
    where = find_region(region)
    wanted = {(one.model_id, one.model_version): one for one in loaded.config.models if one.model_id}
    locked = [_locked(catalog, one, where) for one in wanted.values()]
    tell_warnings(catalog)
    path = loaded.path.parent / LOCK_NAME
    _write(path, render_lock(locked))
    for one in locked:
        output.data(f"{one.model_id} {one.version} ({describe_origin(one.source, one.fidelity)})")
    output.talk(f"{len(locked)} locked in {path}")
    output.next_command(f"mlapi check {config}")


def _locked(catalog: Catalog, entry: ModelEntry, region: str) -> Locked:
    found = catalog.find(entry.model_id or "", entry.model_version, region)
    return Locked.of(found, entry.model_version)


def _write(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error}", fix="use a folder that you may write"
        ) from error
