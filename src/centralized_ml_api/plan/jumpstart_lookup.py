"""Every JumpStart model of a config looked up: what JumpStart says, or why it cannot be used, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from centralized_ml_api.catalog import failures
from centralized_ml_api.config.checks import jumpstart
from centralized_ml_api.config.checks.models.copies import ADD_RESOURCES
from centralized_ml_api.config.checks.models.instances import UNSUPPORTED_INSTANCE
from centralized_ml_api.errors import CatalogError
from centralized_ml_api.plan.copies import read_resources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Unpack

    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.catalog.resolve import Asked
    from centralized_ml_api.config.document.document import Document, NodePath
    from centralized_ml_api.config.load import LoadedConfig
    from centralized_ml_api.config.rule import Rule
    from centralized_ml_api.config.schema import ModelEntry
    from centralized_ml_api.errors import Location, Problem

_FOUND_AS: dict[type[CatalogError], tuple[Rule, str]] = {
    failures.UnknownModelError: (jumpstart.UNKNOWN_MODEL, "model_id"),
    failures.UnknownVersionError: (jumpstart.UNKNOWN_VERSION, "model_version"),
    failures.UnknownConfigError: (jumpstart.UNKNOWN_CONFIG, "inference_config"),
    failures.InexpressibleConfigError: (jumpstart.INEXPRESSIBLE_CONFIG, "inference_config"),
    failures.UnsupportedInstanceError: (UNSUPPORTED_INSTANCE, "instance"),
    failures.UnavailableError: (jumpstart.UNAVAILABLE, "model_id"),
    failures.LicenceError: (jumpstart.LICENCE, "accept_eula"),
    failures.DeprecatedModelError: (jumpstart.DEPRECATED, "model_version"),
    failures.VulnerableModelError: (jumpstart.VULNERABLE, "model_version"),
    failures.ScriptModeError: (jumpstart.SCRIPT_MODE, "model_version"),
    failures.LockError: (jumpstart.LOCK_DRIFT, "model_version"),
}
"""The rule that an error of the catalogue breaks, and the key that it is shown at: `model_id` without it."""


class Looks(Protocol):
    """A catalogue: `catalog.catalog.Catalog`."""

    def resolve(self, model_id: str, version: str, *, region: str, **asked: Unpack[Asked]) -> ModelFacts:
        """Returns the facts of a model.

        Args:
            model_id: The model.
            version: The one that is asked for.
            region: Where it runs.
            asked: What else the config says of it.

        Raises:
            CatalogError: The model cannot be used so.
        """
        ...


def resolve_facts(
    loaded: LoadedConfig, catalog: Looks, *, region: str
) -> tuple[dict[str, ModelFacts], tuple[Problem, ...]]:
    """Looks up every JumpStart model of a config; a config without any asks the catalogue nothing.

    Args:
        loaded: The config and its document.
        catalog: What is asked.
        region: Where the models run.

    Returns:
        The facts by the name of the entry, and every problem and warning in file order. An entry with an
        error has no facts.
    """
    facts: dict[str, ModelFacts] = {}
    problems: list[Problem] = []
    for index, entry in enumerate(loaded.config.models):
        if entry.model_id is None:
            continue
        lookup = _Lookup(loaded.document, ("models", index), entry)
        found = lookup.run(catalog, region)
        problems += lookup.problems
        if found:
            facts[entry.name] = found
    return facts, tuple(sorted(problems, key=_in_file_order))


def merge_problems(written: Iterable[Problem], looked_up: Iterable[Problem]) -> tuple[Problem, ...]:
    """Merges what was found in the file with what was found in the catalogue, in file order. Pure.

    Where both report the same problem at the same location, the catalogue's report is kept.
    """
    merged = {(problem.id, problem.location): problem for problem in [*written, *looked_up]}
    return tuple(sorted(merged.values(), key=_in_file_order))


def _in_file_order(problem: Problem) -> tuple[int, int, str]:
    return (problem.location.line, problem.location.column, problem.id)


class _Lookup:
    """One entry being looked up, and the problems that it turned out to have."""

    def __init__(self, document: Document, path: NodePath, entry: ModelEntry) -> None:
        self._document = document
        self._path = path
        self._entry = entry
        self.problems: list[Problem] = []

    def run(self, catalog: Looks, region: str) -> ModelFacts | None:
        """Returns the facts for the first of the entry's instance types, if all of them are allowed."""
        tried = [
            (path, self._resolve(catalog, region, instance, path)) for path, instance in self._instances()
        ]
        every = [(path, facts) for path, facts in tried if facts]
        if not every or any(facts is None for _, facts in tried):
            return None
        first = every[0][1]
        self.problems += [
            self._other_container(path, first, other) for path, other in every if _differs(first, other)
        ]
        scaling = self._entry.autoscaling
        if scaling and scaling.min_capacity == 0 and not (scaling.resources or read_resources(first)):
            self.problems.append(self._unknown_copies())
        self.problems += [self._note(text) for text in first.warnings]
        return None if any(problem.severity == "error" for problem in self.problems) else first

    def _instances(self) -> Iterator[tuple[NodePath, str | None]]:
        if not self._entry.instances:
            yield (*self._path, "instance"), self._entry.instance
            return
        for index, instance in enumerate(self._entry.instances):
            yield (*self._path, "instances", index), instance

    def _resolve(
        self, catalog: Looks, region: str, instance: str | None, instance_path: NodePath
    ) -> ModelFacts | None:
        entry = self._entry
        try:
            return catalog.resolve(
                entry.model_id or "",
                entry.model_version,
                region=region,
                instance=instance,
                config=entry.inference_config,
                accept_eula=entry.accept_eula,
                environment=entry.environment,
                instance_check=entry.instance_check,
            )
        except CatalogError as error:
            found = (self._problem(refusal, instance_path) for refusal in _single(error))
            self.problems += [problem for problem in found if problem not in self.problems]
            return None

    def _problem(self, error: CatalogError, instance_path: NodePath) -> Problem:
        rule, key = _FOUND_AS.get(type(error), (jumpstart.UNUSABLE_ENTRY, "model_version"))
        expected = error.expected
        if rule is UNSUPPORTED_INSTANCE:
            expected = f'a type that "{self._entry.name}" supports: {expected}'
        location = self._location(instance_path if key == "instance" else (*self._path, key))
        return rule.problem(location, found=error.found, expected=expected, fix=error.fix)

    def _location(self, path: NodePath) -> Location:
        known = path if path in self._document.values else (*self._path, "model_id")
        return self._document.value_location(known)

    def _other_container(self, path: NodePath, first: ModelFacts, other: ModelFacts) -> Problem:
        return jumpstart.INSTANCE_POOL.problem(
            self._document.value_location(path),
            found=f'"{other.instance}", which needs a different container from "{first.instance}"',
            expected="types that share one image, artifacts and variables",
            fix=f'remove "{other.instance}"',
        )

    def _unknown_copies(self) -> Problem:
        return jumpstart.UNKNOWN_COPIES.problem(
            self._location((*self._path, "autoscaling", "min_capacity")),
            found='"min_capacity" 0 without "resources"',
            fix=ADD_RESOURCES,
        )

    def _note(self, text: str) -> Problem:
        return jumpstart.PUBLISHER_NOTE.problem(self._location((*self._path, "model_id")), found=text)


def _differs(first: ModelFacts, other: ModelFacts) -> bool:
    def container(facts: ModelFacts) -> tuple[Any, ...]:
        return (facts.image, facts.model_package_arn, facts.model_data, facts.environment)

    return container(first) != container(other)


def _single(error: CatalogError) -> tuple[CatalogError, ...]:
    return error.refusals if isinstance(error, failures.SeveralRefusals) else (error,)
