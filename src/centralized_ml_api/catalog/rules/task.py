"""What a model does, as far as its id, its spec and its image tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from centralized_ml_api.catalog.spec import Spec

_STREAMING = re.compile(r"vllm|djl-inference|lmi|tgi")
"""Repositories of images whose servers stream tokens.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/realtime-endpoints-test-endpoints.html (streaming is
up to the container) and the documentation of vLLM, LMI (DJL Serving) and TGI, which all do.
"""


def task_of(model_id: str) -> str:
    """Returns an id's second word, `huggingface-textgeneration-open-llama` -> `textgeneration` (rule 21)."""
    words = model_id.split("-")
    return words[1] if len(words) > 1 else words[0]


def describe_task(spec: Spec) -> str:
    """Returns the task and, if known, its input and output (rule 21): `vlm (Text, Image -> Text)`."""
    task = task_of(spec["model_id"])
    given, made = (", ".join(spec.get(f"{side}_modalities") or []) for side in ("input", "output"))
    return f"{task} ({given} -> {made})" if given and made else task


def can_stream(image: str | None) -> bool:
    """Returns whether the image's server streams (rule 21); specs do not say, its repository's name does."""
    repository = (image or "").rpartition("/")[2].partition(":")[0]
    return bool(_STREAMING.search(repository))


TASK_WORDS = {
    "asr": "speech to text",
    "depth2img": "depth to image",
    "eqa": "question answering",
    "fillmask": "fill in a word",
    "imagegeneration": "text to image",
    "inpainting": "paint into an image",
    "llm": "text generation, chat",
    "ner": "named entities",
    "od": "object detection in images",
    "sentencesimilarity": "text embeddings",
    "spc": "compare two sentences",
    "summarization": "summaries of text",
    "tc": "text classification",
    "tcembedding": "text embeddings",
    "text2text": "text to text",
    "textembedding": "text embeddings",
    "textgeneration": "text generation",
    "textgeneration1": "text generation",
    "textgeneration2": "text generation",
    "textgenerationjp": "text generation in Japanese",
    "translation": "translation of text",
    "txt2img": "text to image",
    "txt2imgneuron": "text to image",
    "upscaling": "larger images",
    "vlm": "vision, chat about images",
    "zstc": "text classification without examples",
}
"""The tasks in words, for a search by someone who does not know their names.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/jumpstart-foundation-models-latest.html and
https://sagemaker.readthedocs.io/en/stable/doc_utils/pretrainedmodels.html (ids and what they stand for).
"""
