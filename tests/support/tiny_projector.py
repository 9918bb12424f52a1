"""Writes the smallest projector with which llama.cpp takes pictures: one layer of noise.

The names of keys and tensors are those that llama.cpp reads for LLaVA's projector of two matrices.
Source: https://github.com/ggml-org/llama.cpp/blob/master/tools/mtmd/clip.cpp,
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import random
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_WIDTH, _IMAGE, _PATCH = 16, 28, 14
_ALIGNMENT = 32
_UINT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 6, 7, 8, 9


def write_tiny_projector(path: Path, model_width: int) -> Path:
    """Writes the file for a model of that embedding length; a picture becomes four tokens."""
    keys: dict[str, str | bool | float | list[float]] = {
        "general.architecture": "clip",
        "clip.has_vision_encoder": True,
        "clip.projector_type": "mlp",
        "clip.use_gelu": True,
        "clip.vision.image_size": _IMAGE,
        "clip.vision.patch_size": _PATCH,
        "clip.vision.embedding_length": _WIDTH,
        "clip.vision.feed_forward_length": _WIDTH,
        "clip.vision.block_count": 1,
        "clip.vision.attention.head_count": 1,
        "clip.vision.attention.layer_norm_epsilon": 1e-5,
        "clip.vision.projection_dim": model_width,
        "clip.vision.image_mean": [0.5] * 3,
        "clip.vision.image_std": [0.5] * 3,
    }
    tensors = _list_tensors(model_width)
    infos, data = bytearray(), bytearray()
    noise = random.Random(1)  # noqa: S311
    for name, shape in tensors.items():
        infos += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(data))
        data += struct.pack(f"<{math.prod(shape)}f", *(noise.uniform(-1, 1) for _ in range(math.prod(shape))))
        data += bytes(-len(data) % _ALIGNMENT)
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(keys))
    head += b"".join(_text(key) + _value(value) for key, value in keys.items()) + infos
    path.write_bytes(head + bytes(-len(head) % _ALIGNMENT) + data)
    return path


def _list_tensors(model_width: int) -> Mapping[str, tuple[int, ...]]:
    """Returns the shape of each tensor."""
    layer = "v.blk.0"
    square, matrices = (_WIDTH, _WIDTH), ("attn_q", "attn_k", "attn_v", "attn_out", "ffn_up", "ffn_down")
    biased = {
        **{f"{layer}.{name}": square for name in matrices},
        **{f"{layer}.{name}": (_WIDTH,) for name in ("ln1", "ln2")},
        "v.pre_ln": (_WIDTH,),
        "mm.0": (_WIDTH, model_width),
        "mm.2": (model_width, model_width),
    }
    return {
        "v.class_embd": (_WIDTH,),
        "v.patch_embd.weight": (_PATCH, _PATCH, 3, _WIDTH),
        "v.position_embd.weight": (_WIDTH, (_IMAGE // _PATCH) ** 2 + 1),
        **{f"{name}.weight": shape for name, shape in biased.items()},
        **{f"{name}.bias": shape[-1:] for name, shape in biased.items()},
    }


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _value(value: str | bool | float | list[float]) -> bytes:  # noqa: FBT001
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _text(value)
    if isinstance(value, bool):
        return struct.pack("<I?", _BOOL, value)
    if isinstance(value, list):
        return struct.pack(f"<IIQ{len(value)}f", _ARRAY, _FLOAT32, len(value), *value)
    return struct.pack(
        "<II" if isinstance(value, int) else "<If", _UINT32 if isinstance(value, int) else _FLOAT32, value
    )
