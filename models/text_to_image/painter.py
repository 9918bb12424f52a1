"""Draws: a request in, PNG files out."""

from __future__ import annotations

import io
import logging
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import diffusers
import torch
from image_request import MOST_SEED, list_seeds
from pace import Pace
from PIL.PngImagePlugin import PngInfo
from prompts import encode_prompts
from samplers import SCHEDULERS

if TYPE_CHECKING:
    from image_request import ImageRequest
    from PIL.Image import Image
    from settings import Settings

LOG = logging.getLogger("text to image")


@dataclass(frozen=True, slots=True)
class Artifact:
    """One image; the same request with this seed draws it again. A `filtered` image is black."""

    seed: int
    png: bytes
    filtered: bool


class Painter:
    """A pipeline and its settings. It handles one request at a time: a pipeline has state while it draws."""

    def __init__(self, pipeline: Any, settings: Settings) -> None:
        self._pipeline = pipeline
        self._settings = settings
        self._scheduler = pipeline.scheduler
        self._lock = threading.Lock()

    def paint(self, request: ImageRequest) -> list[Artifact]:
        """Draws `samples` images, each with its own seed.

        Raises:
            TooSlowError: This machine cannot draw them in time.
        """
        steps = self._allowed_steps(request.steps)
        first = request.seed or secrets.randbelow(MOST_SEED) + 1
        with self._lock, torch.no_grad():
            pace = Pace(self._settings.time_limit_seconds, steps, request.samples)
            arguments = self._arguments(request, steps, pace)
            seeds = list_seeds(first, request.samples)
            return [self._draw(seed, request.sampler, arguments) for seed in seeds]

    def _allowed_steps(self, steps: int) -> int:
        most = self._settings.max_steps
        if most is None or steps <= most:
            return steps
        LOG.info("%d steps lowered to %d", steps, most)
        return most

    def _arguments(self, request: ImageRequest, steps: int, pace: Pace) -> dict[str, Any]:
        scale = self._settings.cfg_scale

        def count(pipeline: Any, *_: Any) -> dict[str, Any]:
            pace.step(pipeline.num_timesteps)
            return {}

        return {
            **encode_prompts(self._pipeline, request),
            "height": request.height,
            "width": request.width,
            "num_inference_steps": steps,
            "guidance_scale": request.cfg_scale if scale is None else scale,
            "callback_on_step_end": count,
        }

    def _draw(self, seed: int, sampler: str | None, arguments: dict[str, Any]) -> Artifact:
        # A scheduler remembers its last run, so each image gets a new one.
        self._pipeline.scheduler = _build_scheduler(self._scheduler, sampler)
        drawn = self._pipeline(**arguments, generator=torch.Generator("cpu").manual_seed(seed))
        flagged = getattr(drawn, "nsfw_content_detected", None) or [False]
        return Artifact(seed, _encode_png(drawn.images[0], seed), bool(flagged[0]))


def _build_scheduler(own: Any, sampler: str | None) -> Any:
    """Builds a scheduler with the settings of the model's `own`; of its kind too if `sampler` is None."""
    kind = getattr(diffusers, SCHEDULERS[sampler]) if sampler else type(own)
    return kind.from_config(own.config)


def _encode_png(image: Image, seed: int) -> bytes:
    notes, file = PngInfo(), io.BytesIO()
    notes.add_text("seed", str(seed))
    image.save(file, "PNG", pnginfo=notes)
    return file.getvalue()
