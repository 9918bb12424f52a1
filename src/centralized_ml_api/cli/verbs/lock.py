"""`mlapi lock`: pins the JumpStart models of a config."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from centralized_ml_api.catalog.catalog import open_catalog
from centralized_ml_api.catalog.own_region import find_region
from centralized_ml_api.catalog.sources.lock import LOCK_NAME, Locked, render_lock
from centralized_ml_api.cli import output
from centralized_ml_api.cli.loading import describe_origin, tell_catalog_warnings
from centralized_ml_api.cli.options import config_argument, offline_option, region_option
from centralized_ml_api.cli.output import counted
from centralized_ml_api.commands import command
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
    """Pin the JumpStart models of CONFIG and their versions.

    Writes jumpstart.lock.json beside CONFIG, with all that JumpStart says of the models. While the file
    exists, a newer version of a model changes nothing; commit it. What was locked before is looked up again.
    """
    loaded = load_config(config, now=datetime.now(UTC), region=region)
    catalog = open_catalog(offline=offline)
    where = find_region(region)
    wanted = {
        (entry.model_id, entry.model_version): entry for entry in loaded.config.models if entry.model_id
    }
    locked = [_locked(catalog, entry, where) for entry in wanted.values()]
    tell_catalog_warnings(catalog)
    path = loaded.path.parent / LOCK_NAME
    _write(path, render_lock(locked))
    for model in locked:
        output.data(f"{model.model_id} {model.version} ({describe_origin(model.source, model.fidelity)})")
    output.talk(f"{counted(len(locked), 'model')} locked in {path}")
    output.next_command(command("check", config))


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
            f"{path} cannot be written: {error}", fix="choose a folder that you may write"
        ) from error
