"""Reads the text in an image with RapidOCR (PP-OCRv6, Chinese and English); returns JSON or plain text.

It calculates on `OMP_NUM_THREADS` threads, or on all cores if that is not set.
"""

from __future__ import annotations

import io
import json
import math
import os
import warnings
from dataclasses import dataclass
from typing import Any

import cv2
from PIL import Image, ImageOps
from rapidocr import RapidOCR
from rapidocr.ch_ppocr_det.utils import DetPreProcess

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

Image.MAX_IMAGE_PIXELS = PIXELS_AT_MOST // 2  # Pillow warns of more, and refuses twice as many unread

SIDE_AT_MOST = 2_000
"""RapidOCR reduces images to this. Until then it would hold several copies of each in full size."""

SEARCHED_PIXELS = 2_000_000
"""Of what the network looks at for text: it takes 200 bytes for each, and a second for a million."""

GRID = 32
"""The sides of what it looks at are multiples of this."""

LINES_AT_ONCE = 1
"""Several are made as wide as the widest, which takes that much more memory and, on one core, more time."""


@dataclass(frozen=True, slots=True)
class Page:
    """An image as it is read, and how many times as wide as that it was sent."""

    image: Image.Image
    scale: float


class RefusedError(ValueError):
    """A caller's mistake that only the model can see: the server answers with `status_code`."""

    status_code = 413


class Preparation(DetPreProcess):  # type: ignore[misc]  # it ships no types
    """Brings an image to the size in which text is looked for."""

    def resize(self, img: Any) -> Any:
        """Enlarges a small image by its shorter side, and keeps any to `SEARCHED_PIXELS`."""
        height, width = img.shape[:2]
        wanted = max(1.0, self.limit_side_len / min(height, width))
        ratio = min(wanted, math.sqrt(SEARCHED_PIXELS / (height * width)))
        sides = (max(GRID, round(side * ratio / GRID) * GRID) for side in (width, height))
        return cv2.resize(img, tuple(sides))


class Reader(RapidOCR):  # type: ignore[misc]
    """RapidOCR that bounds where it looks for text, and looks how much there is before it reads it."""

    def __init__(self, params: dict[str, Any]) -> None:
        super().__init__(params=params)
        detector = self._load_det_model()
        detector.get_preprocess = lambda: Preparation(
            detector.limit_side_len, detector.limit_type, detector.mean, detector.std
        )

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
            "Rec.rec_batch_num": LINES_AT_ONCE,
        }
    )


def input_fn(body: str | bytes, content_type: str) -> Page:
    """Decodes the image, reduces it to what is read, and turns it upright.

    Raises:
        TypeError: The body is text.
        ValueError: The body is not an image, or the image is too large.
    """
    if isinstance(body, str):
        raise TypeError(f"{content_type} is text; send the bytes of an image, with a type such as image/png.")
    try:
        with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
            image = Image.open(io.BytesIO(body), formats=FORMATS)
            _check_shape(image)
            return _reduce(image)
    except Image.DecompressionBombError as error:
        raise ValueError(_too_large()) from error
    except (OSError, SyntaxError) as error:
        raise ValueError("The body is not a readable image: send PNG, JPEG, WebP or GIF.") from error


def predict_fn(page: Page, engine: RapidOCR) -> dict[str, Any]:
    """Returns the text, and its lines, each with a score up to 1 and the corners of its box in pixels.

    Raises:
        RefusedError: There is too much text.
    """
    found = engine(page.image)
    texts, scores = found.txts or (), found.scores or ()
    boxes = [] if found.boxes is None else (found.boxes * page.scale).tolist()
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


def _reduce(image: Image.Image) -> Page:
    longest, reduced = max(image.size), (SIDE_AT_MOST, SIDE_AT_MOST)
    image.draft(None, reduced)  # a JPEG is then unpacked in a half or a quarter of its size
    if image.mode not in {"RGB", "L"}:
        image = image.convert("RGB")
    image.thumbnail(reduced)
    scale = longest / max(image.size)
    return Page(ImageOps.exif_transpose(image).convert("RGB"), scale)


def _check_shape(image: Image.Image) -> None:
    if image.width > WIDEST * image.height or image.height > TALLEST * image.width:
        raise ValueError(
            f"An image may be at most {WIDEST} times as wide as high, and {TALLEST} times as high as wide; "
            "send a part of it."
        )


def _too_large() -> str:
    return f"The image has more than {PIXELS_AT_MOST // 1_000_000} million pixels; send a smaller one."
