"""Everything that can go wrong and that a user can do something about.

    MlApiError                  exit status 1, unless said otherwise
    ├── UsageError              exit status 2: the command line was wrong
    ├── ConfigError             exit status 2: the file has problems, all of them listed
    ├── CatalogError            JumpStart's catalogue does not have, or does not allow, what was asked for
    ├── DeployError             AWS, or the CDK, refused or could not do what was asked
    ├── WeightsError            weights could not be fetched or do not verify
    ├── StartError              a process could not be started, or a folder or port is held by another
    ├── NotRunningError         nothing runs for this state folder
    └── NotInstalledError       an extra of this package is not installed

An error is a message and, where there is one, a fix: a sentence that tells the reader what to do next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Sequence


INTERRUPTED = 130
"""The exit status of a verb that Ctrl-C ended, as shells have it: 128 and the number of SIGINT."""


class MlApiError(Exception):
    """The root of the tree: something a user can act on; shown without a traceback."""

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class UsageError(MlApiError):
    """The command line asked for something that cannot be."""

    exit_status = 2


class CatalogError(MlApiError):
    """JumpStart's catalogue does not have, or does not allow, what was asked for.

    `found` and `expected` say the same as the message in the two halves that a config problem shows.
    """

    def __init__(self, message: str, *, found: str = "", expected: str = "", fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.found = found or message
        self.expected = expected


class DeployError(MlApiError):
    """AWS, or the CDK, refused or could not do what was asked."""


class WeightsError(MlApiError):
    """Weights could not be fetched, or what came is not what was asked for."""


class StartError(MlApiError):
    """A process could not be started, or another one holds the state folder or the port."""


class NotRunningError(MlApiError):
    """Nothing runs for this state folder."""


class NotInstalledError(MlApiError):
    """An extra of this package, `local` or `aws`, is not installed."""


@record
class Location:
    """Where in a file: line and column count from 1; `path` is a JSONPath such as `$.models[1].instance`.

    `length` is the number of characters to underline, at least 1.
    """

    file: str
    line: int
    column: int
    path: str
    length: int = 1


@record
class Problem:
    """One mistake in a config: what it is, where, what was found, what was expected, how to fix it.

    `id` (such as `C102`) is stable: scripts may match it and `mlapi explain` has a page for it. A `warning`
    does not stop anything. Empty `found`, `expected` or `fix` are not shown. With `hides_value`, what stands
    at the location is shown nowhere: it may be a key.
    """

    id: str
    title: str
    location: Location
    found: str = ""
    expected: str = ""
    fix: str = ""
    severity: Literal["error", "warning"] = "error"
    hides_value: bool = False


class ConfigError(MlApiError):
    """The config has at least one error; `problems` holds every error and warning, in file order."""

    exit_status = 2

    def __init__(self, problems: Sequence[Problem], *, source: str = "") -> None:
        count = sum(problem.severity == "error" for problem in problems)
        super().__init__(f"{count} {'problem' if count == 1 else 'problems'} in the config")
        self.problems = tuple(problems)
        self.source = source
