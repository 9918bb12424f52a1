"""Which files of a repository a diffusers pipeline needs. Pure.

Repositories keep the same weights several times: for other frameworks, in pickles and in safetensors, in full
and in half precision. One of them is enough.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

INDEX = "model_index.json"
"""The file that names the parts of a pipeline.

Source: https://huggingface.co/docs/diffusers/using-diffusers/loading (Pipelines explained)
"""

# The names that diffusers and transformers save under, in shards or not; with shards comes their index.
_WEIGHTS = re.compile(
    r"(?:diffusion_pytorch_|pytorch_)?model(?:\.fp16)?(?:-\d{5}-of-\d{5})?(?:\.fp16)?"
    r"\.(?:safetensors|bin)(?:\.index(?:\.fp16)?\.json)?"
)
_SETTINGS = re.compile(r"\w[\w.-]*\.(?:json|txt|model)")
_OTHER_INDEX = ".index."


def choose_files(paths: Iterable[str], index: Mapping[str, Any]) -> list[str]:
    """Returns the files to fetch, sorted: the index, and of each part its settings and one kind of weights.

    The kind is the first of these that the part has: safetensors in half precision, safetensors, pickled in
    half precision, pickled. Files below a part's own folder are not the part's.

    Args:
        paths: Every file of the repository, as `folder/name`.
        index: What `model_index.json` says.

    Raises:
        ValueError: A part that the index names has no files.
    """
    files = sorted(paths)
    chosen = [INDEX]
    for part in _parts(index):
        names = [path.removeprefix(f"{part}/") for path in files if path.startswith(f"{part}/")]
        own = [*_settings(names), *_best_weights(names)]
        if not own:
            raise ValueError(f"{INDEX} names the part {part}, which has no files")
        chosen += [f"{part}/{name}" for name in own]
    return sorted(chosen)


def _parts(index: Mapping[str, Any]) -> list[str]:
    """Returns names like `unet`; a part that a pipeline does without is listed as `[null, null]`."""
    return [
        name
        for name, value in index.items()
        if isinstance(value, list) and value and all(value) and re.fullmatch(r"\w+", name)
    ]


def _settings(names: Iterable[str]) -> list[str]:
    return [
        name
        for name in names
        if _SETTINGS.fullmatch(name) and not _WEIGHTS.fullmatch(name) and _OTHER_INDEX not in name
    ]


def _best_weights(names: Iterable[str]) -> Sequence[str]:
    weights = [name for name in names if _WEIGHTS.fullmatch(name)]
    kinds = [
        [name for name in weights if (form in name) and (".fp16" in name) == half]
        for form in (".safetensors", ".bin")
        for half in (True, False)
    ]
    return next((kind for kind in kinds if kind), [])
