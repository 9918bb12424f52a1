"""Generates images from text with diffusers (Stable Diffusion and XL), with the bodies of Stability's API.

The files beside this one:

    settings.py       what the config sets by environment variables
    image_request.py  the body, checked field by field (fields.py)
    pipeline.py       loads the weights
    painter.py        draws: prompts.py, samplers.py, styles.py; pace.py stops what cannot finish in time
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before importing diffusers, which then uses no network

from image_request import read_request
from painter import Painter
from pipeline import load_pipeline
from settings import load_settings

if TYPE_CHECKING:
    from image_request import ImageRequest
    from painter import Artifact

PNG = "image/png"
JSON = "application/json"
_MEANT = {PNG: PNG, "image/*": PNG, JSON: JSON, "application/*": JSON, "*/*": JSON, "": JSON}


class NotAcceptableError(Exception):
    """The response cannot have the requested form; the server answers with `status_code`."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code


def model_fn(model_dir: str) -> Painter:
    """Loads the pipeline in `model_dir`."""
    settings = load_settings(os.environ)
    return Painter(load_pipeline(Path(model_dir)), settings)


def input_fn(body: str | bytes, content_type: str) -> ImageRequest:
    """Reads the request.

    Raises:
        TypeError, ValueError: The body is invalid; the message names each wrong field and the allowed values.
    """
    del content_type  # it must be JSON, whatever `curl -d` calls it
    return read_request(body)


def predict_fn(request: ImageRequest, painter: Painter) -> list[Artifact]:
    """Draws the images.

    Raises:
        TooSlowError: This machine cannot draw them in time.
    """
    return painter.paint(request)


def output_fn(artifacts: list[Artifact], accept: str) -> tuple[str | bytes, str]:
    """Returns JSON with base64 or, for `Accept: image/png`, the PNG with its seed in a text chunk.

    Raises:
        NotAcceptableError: The request asks for another type, or for several images as one PNG.
    """
    if _choose_type(accept) == JSON:
        answer = {"result": "success", "artifacts": [_describe(artifact) for artifact in artifacts]}
        return json.dumps(answer), JSON
    if len(artifacts) > 1:
        raise NotAcceptableError(400, f"samples is {len(artifacts)}; it must be 1 for Accept: {PNG}")
    return artifacts[0].png, PNG


def _choose_type(accept: str) -> str:
    """Returns the first supported type in `Accept`. Stability's own client sends `application/json;png`."""
    for wanted in accept.split(","):
        meant = _MEANT.get(wanted.partition(";")[0].strip().lower())
        if meant:
            return meant
    raise NotAcceptableError(406, f"This model answers {JSON} or {PNG}, not {accept[:60]}.")


def _describe(artifact: Artifact) -> dict[str, object]:
    return {
        "seed": artifact.seed,
        "base64": base64.b64encode(artifact.png).decode(),
        "finishReason": "CONTENT_FILTERED" if artifact.filtered else "SUCCESS",
    }
