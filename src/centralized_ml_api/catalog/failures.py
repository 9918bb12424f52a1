"""Why JumpStart's catalogue refuses a model, one class per reason, so that a caller can tell them apart.

CatalogError                     (in `errors`)
├── UnknownModelError            no such id
├── UnknownVersionError          no such version of a known id
├── UnknownConfigError           no such inference configuration
├── InexpressibleConfigError     the configuration needs what CloudFormation cannot express
├── UnsupportedInstanceError     the publisher did not test the instance type
├── UnavailableError             not in this region, or not on this instance type there
├── LicenceError                 the licence was not accepted
├── DeprecatedModelError         the publisher withdrew the model
├── VulnerableModelError         the container is known to be unsafe
├── ScriptModeError              the artifacts would have to be repacked
├── MalformedSpecError           the catalogue's entry is broken
├── LockError                    the lock file does not cover the model, or is damaged
├── SourceError                  a source could not be asked; the next one is
    │   └── OfflineError             because the user wants it so
├── MirrorError                  the mirror that the user named is not one
└── SeveralRefusals              more than one of them at once
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from centralized_ml_api.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterable


class UnknownModelError(CatalogError):
    """No source has a model of that id."""


class UnknownVersionError(CatalogError):
    """The model has no such version, or none that these rules understand."""


class UnknownConfigError(CatalogError):
    """The model has no inference configuration of that name."""


class InexpressibleConfigError(CatalogError):
    """The configuration needs a draft model, for which CloudFormation has no property."""


class UnsupportedInstanceError(CatalogError):
    """The publisher did not test the model on that instance type."""


class UnavailableError(CatalogError):
    """JumpStart, the model or its image is not in that region."""


class LicenceError(CatalogError):
    """The model is gated, and its licence was not accepted."""


class DeprecatedModelError(CatalogError):
    """The publisher withdrew the model."""


class VulnerableModelError(CatalogError):
    """The model's container is known to be vulnerable."""


class ScriptModeError(CatalogError):
    """The artifacts have no code: they would have to be packed together with a script and uploaded."""


class MalformedSpecError(CatalogError):
    """The catalogue's entry lacks something, or has it in another form than JumpStart's."""


class LockError(CatalogError):
    """The lock file does not cover what the config asks for, or cannot be trusted."""


class SourceError(CatalogError):
    """A source could not be asked; the next one is."""


class OfflineError(SourceError):
    """A source is not asked because the user wants no network."""


class MirrorError(CatalogError):
    """What `MLAPI_JUMPSTART_MIRROR` names is not a mirror."""


class SeveralRefusals(CatalogError):  # noqa: N818  # what it holds are the errors
    """There is more than one reason against a model; `refusals` has all of them."""

    def __init__(self, refusals: tuple[CatalogError, ...]) -> None:
        super().__init__("; ".join(refusal.message for refusal in refusals), fix=refusals[0].fix)
        self.refusals = refusals


def raise_all(refusals: Iterable[CatalogError]) -> None:
    """Raises the only refusal, or one error with all of them; returns if there are none.

    Raises:
        CatalogError: The only refusal, or `SeveralRefusals`.
    """
    found = tuple(refusals)
    if len(found) == 1:
        raise found[0]
    if found:
        raise SeveralRefusals(found)
