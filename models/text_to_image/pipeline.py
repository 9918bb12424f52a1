"""Loads a pipeline from a folder."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import diffusers
import torch
import transformers
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {kind.__name__: kind for kind in (StableDiffusionPipeline, StableDiffusionXLPipeline)}
INDEX = "model_index.json"
HALF = "fp16"


def load_pipeline(folder: Path) -> Any:
    """Loads the weights, onto a GPU if there is one.

    Raises:
        ValueError: The folder has no pipeline of a known kind.
    """
    kind = KINDS[_find_kind(folder)]
    _prepare_process()
    has_gpu = torch.cuda.is_available()
    pipeline = kind.from_pretrained(
        str(folder),
        # CPUs are slower in half precision, if they support it at all.
        dtype=torch.float16 if has_gpu else torch.float32,
        variant=HALF if any(folder.glob(f"*/*.{HALF}*")) else None,
        local_files_only=True,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to("cuda" if has_gpu else "cpu")


def _prepare_process() -> None:
    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()  # a log is not a terminal
    if "OMP_NUM_THREADS" not in os.environ:
        # Leave one core to the gateway: threads that wait for each other on busy cores lose far more.
        torch.set_num_threads(max(1, torch.get_num_threads() - 1))


def _find_kind(folder: Path) -> str:
    index = folder / INDEX
    if not index.is_file():
        raise ValueError(f"{folder} has no {INDEX}: `weights` must name a diffusers pipeline")
    kind = json.loads(index.read_text()).get("_class_name")
    if kind not in KINDS:
        raise ValueError(f"{folder} is a {kind}; known are {' and '.join(KINDS)}")
    return str(kind)
