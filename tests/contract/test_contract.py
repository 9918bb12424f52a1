"""The HTTP contract: one list of cases, asked of the local target and of the API that AWS would get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.case import AWS, LOCAL, Case, send
from contract.differences import DIFFERENCES, Difference
from contract.suite import BY_NAME, CASES

if TYPE_CHECKING:
    from concurrent.futures import Future

    from contract.targets import Targets
    from support.running_gateway import Answer

TARGETS = (LOCAL, AWS)
ASKED = [(target, case) for case in CASES for target in TARGETS if case.only in {None, target}]


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda one: one.name)
def test_a_difference_is_just_as_it_is_documented(
    targets: Targets, target: str, difference: Difference
) -> None:
    answer = send(targets.url(target), difference.request)
    (difference.local if target == LOCAL else difference.aws).check(answer, target)


@pytest.mark.slow
@pytest.mark.parametrize(("target", "case"), ASKED, ids=[f"{target}: {case.name}" for target, case in ASKED])
def test_a_target_keeps_the_contract(
    targets: Targets, begun: dict[tuple[str, str], Future[Answer]], target: str, case: Case
) -> None:
    under_way = begun.get((target, case.name))
    answer = under_way.result() if under_way else send(targets.url(target), case.request)
    case.expected.check(answer, target)


def test_every_case_has_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len(CASES)
