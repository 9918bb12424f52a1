"""Reads the text in an image with RapidOCR (PP-OCRv6, Chinese and English); returns JSON or plain text.

It calculates on `OMP_NUM_THREADS` threads, or on all cores if that is not set.
"""

from __future__ import annotations

import io
import json
import os
import warnings
from typing import Any

from PIL import Image, ImageOps
from rapidocr import RapidOCR

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
"""Pillow supports more formats, but some start other programs on the caller's bytes (EPS)."""

ALL_CORES = -1
"""RapidOCR's value for all cores."""

WIDEST, TALLEST = 40, 8
"""How many times as wide as high an image may be, and as high as wide: it is enlarged by its shorter side."""

TEXT_AT_MOST = 5_000
"""How much text is read at once: the lengths of all lines together, each in multiples of its own height.

About ten thousand characters, two dense pages. Each takes time, and others wait meanwhile.
"""

PIXELS_AT_MOST = 25_000_000
"""A large photograph. Without a limit, a small file could decode to an image that fills the memory."""


class RefusedError(ValueError):
    """A caller's mistake that only the model can see: the server answers with `status_code`."""

    status_code = 413


class Reader(RapidOCR):  # type: ignore[misc]  # it ships no types
    """RapidOCR that looks how much text it has found before it reads it."""

    def recognize_txt(self, img: Any) -> Any:
        """Reads lines that were cut out of an image.

        Raises:
            RefusedError: There is more text than is read at once.
        """
        lines = img if isinstance(img, list) else [img]
        length = sum(max(line.shape[:2]) / max(1, min(line.shape[:2])) for line in lines)
        if length > TEXT_AT_MOST:
            raise RefusedError(
                f"The image has about {length / TEXT_AT_MOST:.1f} times as much text as is read at once. "
                "Send it in parts."
            )
        return super().recognize_txt(img)


def model_fn(model_dir: str) -> Reader:
    """Loads the engine with the three networks in its package."""
    del model_dir
    threads = int(os.environ.get("OMP_NUM_THREADS") or ALL_CORES)
    return Reader(
        params={
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        }
    )


def input_fn(body: str | bytes, content_type: str) -> Image.Image:
    """Decodes the image and turns it upright.

    Raises:
        TypeError: The body is text.
        ValueError: The body is not an image, or the image is too large.
    """
    if isinstance(body, str):
        raise TypeError(f"{content_type} is text; send the bytes of an image, with a type such as image/png.")
    try:
        with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
            image = Image.open(io.BytesIO(body), formats=FORMATS)
            _check_size(image)
            return ImageOps.exif_transpose(image).convert("RGB")
    except Image.DecompressionBombError as error:
        raise ValueError(_too_large()) from error
    except (OSError, SyntaxError) as error:
        raise ValueError("The body is not a readable image: send PNG, JPEG, WebP or GIF.") from error


def predict_fn(image: Image.Image, engine: RapidOCR) -> dict[str, Any]:
    """Returns the text, and its lines, each with a score up to 1 and the corners of its box in pixels.

    Raises:
        RefusedError: There is too much text.
    """
    found = engine(image)
    texts, scores = found.txts or (), found.scores or ()
    boxes = [] if found.boxes is None else found.boxes.tolist()
    lines = [
        {"text": text, "score": round(score, 4), "box": box}
        for text, score, box in zip(texts, scores, boxes, strict=True)
    ]
    return {"text": "\n".join(texts), "lines": lines}


def output_fn(prediction: dict[str, Any], accept: str) -> tuple[str, str]:
    """Returns the response and its content type: plain text for `Accept: text/plain`, otherwise JSON."""
    if accept.partition(",")[0].partition(";")[0].strip().lower() == "text/plain":
        return prediction["text"], "text/plain; charset=utf-8"
    return json.dumps(prediction, ensure_ascii=False), "application/json"


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > PIXELS_AT_MOST:
        raise ValueError(_too_large())
    if image.width > WIDEST * image.height or image.height > TALLEST * image.width:
        raise ValueError(
            f"An image may be at most {WIDEST} times as wide as high, and {TALLEST} times as high as wide; "
            "send a part of it."
        )


def _too_large() -> str:
    return f"The image has more than {PIXELS_AT_MOST // 1_000_000} million pixels; send a smaller one."
