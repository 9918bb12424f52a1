"""What an update would do to a deployed stack, from its template and the new one. Pure.

CloudFormation compares values, not texts: whatever names a replaced resource changes too. This follows such
references, so that "the model's image changes" becomes "the model and its endpoint configuration are
replaced, the endpoint moves to the new configuration".
"""

from __future__ import annotations

import graphlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from centralized_ml_api.aws.replacement import is_replaced

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Action = Literal["add", "update", "replace", "remove"]
Resource = dict[str, Any]
Resources = dict[str, Resource]

_SUBSTITUTED = re.compile(r"\$\{([^!.}]+)")
_OTHER = ("Condition", "DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy")


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one resource; `because` names the properties that change, sorted.

    `name` is its path in the app where the template has it, else its logical id.
    """

    logical_id: str
    name: str
    type: str
    action: Action
    because: tuple[str, ...] = ()


def compare_templates(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Every resource that an update from `old` to `new` touches, in the order in which it would be.

    Args:
        old: the deployed template; empty for a stack that does not exist.
        new: the template to deploy.
    """
    before: Resources = old.get("Resources", {})
    after: Resources = new.get("Resources", {})
    changes: list[Change] = []
    renewed = {name for name in before if name not in after}
    for logical_id in creation_order(after):
        change = _compare(logical_id, before.get(logical_id), after[logical_id], renewed)
        if change:
            changes.append(change)
        if change and change.action == "replace":
            renewed.add(logical_id)
    gone = [one for one in reversed(creation_order(before)) if one not in after]
    return (*changes, *(_change(one, before[one], "remove") for one in gone))


def creation_order(resources: Resources) -> list[str]:
    """Every logical id after those that its resource names; otherwise in the template's order."""
    needs = {
        name: [one for one in _named(resource) if one in resources and one != name]
        for name, resource in resources.items()
    }
    return list(graphlib.TopologicalSorter(needs).static_order())


def _compare(logical_id: str, old: Resource | None, new: Resource, renewed: set[str]) -> Change | None:
    if old is None:
        return _change(logical_id, new, "add")
    because = _changed(old, new, renewed)
    if old["Type"] != new["Type"]:
        return _change(logical_id, new, "replace", ("Type",))
    if not because:
        return None
    action: Action = "replace" if is_replaced(new["Type"], because) else "update"
    return _change(logical_id, new, action, tuple(sorted(because)))


def _changed(old: Resource, new: Resource, renewed: set[str]) -> set[str]:
    """The properties with another text, or with the same text about a resource that is not the same."""
    before, after = old.get("Properties", {}), new.get("Properties", {})
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    changed |= {key for key, value in after.items() if not renewed.isdisjoint(_named(value))}
    return changed | {key for key in _OTHER if old.get(key) != new.get(key)}


def _change(logical_id: str, resource: Resource, action: Action, because: tuple[str, ...] = ()) -> Change:
    path = resource.get("Metadata", {}).get("aws:cdk:path", logical_id)
    name = path.partition("/")[2].removesuffix("/Resource") or path
    return Change(logical_id, name, resource["Type"], action, because)


def _named(value: Any) -> Iterator[str]:
    """Whatever a value refers to by `Ref`, `Fn::GetAtt`, `Fn::Sub` or `DependsOn`."""
    if isinstance(value, list):
        for inner in value:
            yield from _named(inner)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _named_by(key, inner)


def _named_by(key: str, value: Any) -> Iterator[str]:
    match key, value:
        case ("Ref" | "DependsOn", str()):
            yield value
        case ("DependsOn", list()):
            yield from value
        case ("Fn::GetAtt", [str() as name, *_]):
            yield name
        case ("Fn::GetAtt", str()):
            yield value.partition(".")[0]
        case ("Fn::Sub", str()):
            yield from _SUBSTITUTED.findall(value)
        case _:
            yield from _named(value)
