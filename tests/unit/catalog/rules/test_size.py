"""Rule 22: how large a model is, as far as its id says."""

from __future__ import annotations

import pytest

from centralized_ml_api.catalog.rules.size import count_of


@pytest.mark.parametrize(
    ("model_id", "billions"),
    [
        ("meta-textgeneration-llama-3-70b", 70),
        ("meta-textgeneration-llama-3-1-8b-instruct", 8),  # of three numbers the last one
        ("meta-textgeneration-llama-2-7b-f", 7),  # a version before it
        ("huggingface-llm-gemma-2-2b-instruct", 2),
        ("huggingface-llm-qwen2-5-7b-instruct", 7),
        ("huggingface-llm-qwen2-1-5b", 1.5),  # a point before it
        ("huggingface-llm-eleutherai-gpt-neo-2-7b", 2.7),
        ("huggingface-llm-nousresearch-nous-hermes-2-solar-10-7b", 10.7),
        ("huggingface-llm-elyza-japanese-llama-2-13b-chat", 13),  # nobody tells two places behind a point
        ("huggingface-textgeneration-bloom-1b7", 1.7),
        ("huggingface-textgeneration1-gpt-neo-125m-fp16", 0.125),
        ("meta-tc-llama-prompt-guard-86m", 0.086),
        ("huggingface-llm-mixtral-8x22B", 141),  # experts share layers
        ("huggingface-llm-alpindale-wizard-lm-2-8-22B", 141),
        ("huggingface-llm-huggingfaceh4-zephyr-orpo-141b-a35b-v01", 141),  # all of them, not the active ones
        ("huggingface-asr-whisper-large-v3-turbo", 0.809),  # a name for a size
        ("huggingface-llm-rinna-3-6b-instruction-ppo-bf16", None),  # 3.6, or version 3 with 6
        ("acme-llm-mixture-4x9b", None),
        ("huggingface-llm-shenzhi-wang-llama3-8B-chinese-chat", 8),
        ("huggingface-textgeneration1-redpajama-incite-instruct-7B1fp16", None),
        ("huggingface-txt2img-alxdfy-noggles-fastdb-4800", None),
        ("huggingface-zstc-cross-encoder-nli-minilm2-l6-h768", None),
        ("huggingface-sentencesimilarity-bge-m3", None),
    ],
)
def test_an_id_tells_a_size_or_nothing(model_id: str, billions: float | None) -> None:
    assert count_of(model_id) == billions
