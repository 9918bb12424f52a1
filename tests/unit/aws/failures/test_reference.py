"""The troubleshooting page has an entry for every known failure, with AWS's own page where there is one."""

from __future__ import annotations

import re
from pathlib import Path

from centralized_ml_api.aws.failures.failure import TROUBLESHOOTING
from centralized_ml_api.aws.failures.known import FAILURES
from centralized_ml_api.aws.failures.reference import heading_of, render_entries

PAGE = (Path(__file__).parents[4] / TROUBLESHOOTING).read_text(encoding="utf-8")
GENERATED = re.search(r"(?<= -->\n).*?(?=<!-- end -->)", PAGE[PAGE.index("<!-- generated:") :], re.DOTALL)


def test_what_is_not_written_by_hand_is_generated() -> None:
    assert GENERATED is not None
    written = re.findall(r"^## (.+)$", PAGE.replace(GENERATED[0], ""), re.MULTILINE)
    assert render_entries(written) == GENERATED[0]


def test_every_failure_has_one_entry_under_its_own_anchor() -> None:
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert [failure.id for failure in FAILURES if headings.count(heading_of(failure)) != 1] == []


def test_lines_are_short_and_no_address_is_broken() -> None:
    lines = render_entries(()).splitlines()
    assert all(len(line) <= 120 or " " not in line.strip() for line in lines)
    pages = [failure.docs for failure in FAILURES if failure.docs]
    assert all(any(page in line for line in lines) for page in pages)


def test_every_entry_leads_to_the_page_of_aws_that_its_failure_names() -> None:
    entries = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", PAGE, re.MULTILINE))
    texts = {failure: entries[heading_of(failure)] for failure in FAILURES}
    assert [failure.id for failure, text in texts.items() if failure.docs not in text] == []
    linking = [failure for failure, text in texts.items() if re.search(r"\[AWS's\s+page\]", text)]
    assert [failure.id for failure in linking if not failure.docs] == []
