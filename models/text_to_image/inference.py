"""Images from text with diffusers, in the bodies of Stability's API: Stable Diffusion, also XL.

The files beside this one:

    settings.py       what the config decides by environment variables
    image_request.py  the body, checked field by field (fields.py)
    pipeline.py       the weights
    painter.py        draws: prompts.py, samplers.py, styles.py; pace.py gives up what cannot be ready in time
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before diffusers is imported: nothing is asked for anything

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
    """The answer cannot be given as it is asked for; the server answers with `status_code`."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code


def model_fn(model_dir: str) -> Painter:
    """The pipeline in `model_dir`, ready to draw."""
    settings = load_settings(os.environ)
    return Painter(load_pipeline(Path(model_dir)), settings)


def input_fn(body: str | bytes, content_type: str) -> ImageRequest:
    """The request.

    Raises:
        ValueError: fields are wrong; the message names each, and what is allowed.
    """
    del content_type  # whatever `curl -d` calls it: it is JSON or refused
    return read_request(body)


def predict_fn(request: ImageRequest, painter: Painter) -> list[Artifact]:
    """Draws.

    Raises:
        TooSlowError: it cannot be ready in time on this machine.
    """
    return painter.paint(request)


def output_fn(artifacts: list[Artifact], accept: str) -> tuple[str | bytes, str]:
    """JSON with base64, or for `Accept: image/png` the image itself, its seed in a text chunk of the PNG.

    Raises:
        NotAcceptableError: another type is asked for, or several images as one PNG.
    """
    if _choose_type(accept) == JSON:
        answer = {"result": "success", "artifacts": [_describe(artifact) for artifact in artifacts]}
        return json.dumps(answer), JSON
    if len(artifacts) > 1:
        raise NotAcceptableError(400, f"samples is {len(artifacts)}; it must be 1 for Accept: {PNG}")
    return artifacts[0].png, PNG


def _choose_type(accept: str) -> str:
    """The first type of `Accept` that can be given. Stability's own client sends `application/json;png`."""
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
