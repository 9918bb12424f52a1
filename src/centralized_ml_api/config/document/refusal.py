"""How both readers end at a mistake after which nothing more can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from centralized_ml_api.errors import ConfigError

if TYPE_CHECKING:
    from centralized_ml_api.config.checks.rule import Rule
    from centralized_ml_api.config.document.source import SourceText


class Refusing:
    """A reader of `source`."""

    source: SourceText

    def refuse(
        self,
        rule: Rule,
        start: int,
        end: int | None = None,
        *,
        found: str = "",
        expected: str = "",
        fix: str = "",
    ) -> NoReturn:
        """Ends the reading.

        Args:
            rule: the rule that is broken.
            start: the offset of what breaks it.
            end: where that ends; one character further by default.
            found: what stands there.
            expected: what should.
            fix: how to mend it.

        Raises:
            ConfigError: always, with this one problem.
        """
        place = self.source.place(start, end if end is not None else start + 1)
        problem = rule.problem(place, found=found, expected=expected, fix=fix)
        raise ConfigError([problem], source=self.source.text)
