"""The gap: a stack made by a change set has no outputs and no template (`cdk bootstrap` makes one so)."""

from __future__ import annotations

from moto.cloudformation.models import ChangeSet


def close() -> None:
    """An executed change set leaves a whole stack behind."""
    apply = ChangeSet.apply

    def apply_all(self: ChangeSet) -> None:
        apply(self)
        self.stack.template = self.template
        self.stack._parse_template()  # noqa: SLF001  # it is moto that is extended
        self.stack.output_map = self.stack._create_output_map()  # noqa: SLF001

    ChangeSet.apply = apply_all  # type: ignore[method-assign]
