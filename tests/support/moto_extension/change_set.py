"""The gaps: a stack made by a change set (`cdk bootstrap` makes one so) has no outputs and no template; and
deleting a change set that is not there, as `cdk diff` does first, crashes moto.
"""

from __future__ import annotations

from moto.cloudformation.models import ChangeSet, CloudFormationBackend

from support.moto_extension.replaced import replace_attribute


def close() -> None:
    """An executed change set leaves a whole stack behind; one that is gone can be deleted again."""
    apply = ChangeSet.apply

    def apply_all(self: ChangeSet) -> None:
        apply(self)
        self.stack.template = self.template
        self.stack._parse_template()  # noqa: SLF001  # it is moto that is extended
        self.stack.output_map = self.stack._create_output_map()  # noqa: SLF001

    replace_attribute(ChangeSet, "apply", apply_all)
    replace_attribute(CloudFormationBackend, "delete_change_set", _delete)


def _delete(self: CloudFormationBackend, change_set_name: str) -> None:
    for arn, change_set in list(self.change_sets.items()):
        if change_set_name in (arn, change_set.change_set_name):
            del self.change_sets[arn]
