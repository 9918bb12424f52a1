"""Reads the settings that the config makes by environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_STEPS = "TEXT_TO_IMAGE_MAX_STEPS"
CFG_SCALE = "TEXT_TO_IMAGE_CFG_SCALE"
TIME_LIMIT = "TEXT_TO_IMAGE_TIME_LIMIT_SECONDS"

API_WAITS_SECONDS = 29.0
"""After this time the API answers 504, whatever the model does.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html (integration timeout)
"""

DEFAULT_TIME_LIMIT_SECONDS = API_WAITS_SECONDS - 1


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of all requests.

    Attributes:
        max_steps: The most steps; larger requests are lowered to it. None means no limit. Distilled ("turbo")
            models are trained for 1 to 4.
        cfg_scale: Replaces the value of a request; None keeps it. Distilled models need 0.
        time_limit_seconds: A request that would take longer is refused.
    """

    max_steps: int | None = None
    cfg_scale: float | None = None
    time_limit_seconds: float = DEFAULT_TIME_LIMIT_SECONDS


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Reads the settings from the environment.

    Raises:
        ValueError: A value is not a number.
    """
    steps, scale, limit = (environment.get(name, "").strip() for name in (MAX_STEPS, CFG_SCALE, TIME_LIMIT))
    return Settings(
        max_steps=max(1, int(steps)) if steps else None,
        cfg_scale=float(scale) if scale else None,
        time_limit_seconds=float(limit) if limit else DEFAULT_TIME_LIMIT_SECONDS,
    )
