"""The runtimes of AWS Lambda, as of November 2026.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html (supported and deprecated runtimes).
"""

from __future__ import annotations

CURRENT = (
    "python3.14", "python3.13", "python3.12", "python3.11",
    "nodejs24.x", "nodejs22.x",
    "java25", "java21", "java17", "java17.al2023", "java11", "java11.al2023", "java8.al2", "java8.al2023",
    "dotnet10",
    "ruby4.0", "ruby3.4", "ruby3.3",
    "provided.al2023",
)  # fmt: skip
"""Supported: AWS patches them. The newest of each language first."""

ENDED = {
    "python3.10": "2026-10-31",
    "python3.9": "2025-12-15",
    "nodejs20.x": "2026-04-30",
    "dotnet8": "2026-11-10",
    "ruby3.2": "2026-03-31",
    "provided.al2": "2026-07-31",
}
"""No longer patched since that day, but functions can still be created with them."""

RETIRED = frozenset(
    {
        "python3.8", "python3.7", "python3.6", "python2.7",
        "nodejs18.x", "nodejs16.x", "nodejs14.x", "nodejs12.x",
        "nodejs10.x", "nodejs8.10", "nodejs6.10", "nodejs4.3",
        "java8", "go1.x", "provided",
        "dotnet7", "dotnet6", "dotnet5.0", "dotnetcore3.1", "dotnetcore2.1", "dotnetcore2.0", "dotnetcore1.0",
        "ruby2.7", "ruby2.5",
    }
)  # fmt: skip
"""Given up: creating functions with them is blocked, or about to be and long without patches."""


def language_of(runtime: str) -> str:
    """The letters a runtime begins with: `python3.13` is of `python`."""
    return runtime[: len(runtime) - len(runtime.lstrip("abcdefghijklmnopqrstuvwxyz"))].removesuffix("core")


def current_of(language: str) -> tuple[str, ...]:
    """The supported runtimes of a language, all of them when it has none."""
    return tuple(one for one in CURRENT if language_of(one) == language) or CURRENT
