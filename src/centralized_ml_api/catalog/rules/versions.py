"""Decides which version of a model is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from centralized_ml_api.catalog.failures import UnknownVersionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from centralized_ml_api.catalog.manifest import Row

NEWEST = "*"
UNDERSTOOD_SDK = "3.0.0"
"""The newest SageMaker SDK that these rules were compared with; rows that need a newer one are left out.

Source: sagemaker-core 2.27.0, which takes itself for 3.0.0 when it reads manifests
(`parse_sagemaker_version`).
"""

_SHOWN = 8
_COMPARISONS = ("<", ">", "=", "!", "~")


def select_row(rows: Sequence[Row], wanted: str) -> Row | None:
    """Returns the row of a version, among those of one model that these rules understand, or None (rule 3).

    `*` is the newest. For open weights anything else is a PEP 440 specifier (`1.*`, `>=2,<3`) or an exact
    version, and the newest of those that match is taken; for proprietary models only the exact text counts.
    """
    understood = [row for row in rows if _order(row.min_version) <= Version(UNDERSTOOD_SDK)]
    matching = [row for row in understood if matches(row.version, wanted, exact=row.kind == "proprietary")]
    return max(matching, key=lambda row: _order(row.version), default=None)


def matches(version: str, wanted: str, *, exact: bool = False) -> bool:
    """Returns whether a version is a wanted one; `exact` ignores specifiers.

    Args:
        version: A version of the catalogue.
        wanted: A version, `*` for the newest, or a specifier such as `~=2.1`.
        exact: Whether only a version or `*` counts.
    """
    if wanted in (NEWEST, version):
        return True
    if exact:
        return False
    # Takes four times as long to import as the versions, and most configs write an exact one or `*`.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415

    try:
        specifier = SpecifierSet(wanted if wanted.startswith(_COMPARISONS) else f"=={wanted}")
        return specifier.contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return False


def unknown_version(model_id: str, wanted: str, rows: Sequence[Row]) -> UnknownVersionError:
    """Builds the error for a version that `select_row` did not find, with those that exist.

    Args:
        model_id: JumpStart's id.
        wanted: The version or specifier that was asked for.
        rows: Those of the model.
    """
    newer = [row for row in rows if matches(row.version, wanted, exact=row.kind == "proprietary")]
    known = newest_first(row.version for row in rows if row not in newer)
    if newer:
        return UnknownVersionError(
            f"{model_id} {newer[0].version} needs the rules of the SageMaker SDK {newer[0].min_version}; "
            f"this program knows those of {UNDERSTOOD_SDK}",
            expected=f"one of {', '.join(known[:_SHOWN])}" if known else "a model that needs no newer rules",
            fix=f'write "{known[0]}"' if known else "update this program",
        )
    return UnknownVersionError(
        f"{model_id} has no version {wanted}",
        found=f'"{wanted}"',
        expected=f"one of {', '.join(known[:_SHOWN])}{' …' if len(known) > _SHOWN else ''}, or *",
        fix=f'write "{known[0]}"' if known else "",
    )


def newest_first(versions: Iterable[str]) -> list[str]:
    """Returns each version once, the newest first."""
    return sorted(set(versions), key=_order, reverse=True)


def _order(version: str) -> Version:
    """Returns the sort key of a version; what is not a version comes first."""
    try:
        return Version(version)
    except InvalidVersion:
        return Version("0.dev0")
