"""Writes two tiny pipelines with random weights; runs in the environment of models/text_to_image.

    ENVIRONMENT/bin/python tiny_pipeline.py FOLDER

It writes `FOLDER/half`, of the classes of Stable Diffusion, named and stored in half precision, and
`FOLDER/xl`, of those of Stable Diffusion XL. What they draw is noise. Takes some seconds and 2 MB.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

WIDTH = 32
"""Numbers for each token."""

TIME_WIDTH, SIZES = 8, 6
"""Stable Diffusion XL is told six numbers about the image's size and place, each made into as many."""

SPECIAL = ("<|startoftext|>", "<|endoftext|>")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def main() -> None:
    """Builds both and saves them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    torch.manual_seed(0)
    build_pipeline().to(torch.float16).save_pretrained(folder / "half", variant="fp16")
    build_xl_pipeline().save_pretrained(folder / "xl")


def build_pipeline() -> StableDiffusionPipeline:
    """The parts of a turbo model, each as small as its class allows."""
    tokenizer = build_tokenizer()
    return StableDiffusionPipeline(
        vae=build_vae(),
        text_encoder=CLIPTextModel(build_text_config(len(tokenizer))),
        tokenizer=tokenizer,
        unet=build_unet(cross_attention_dim=WIDTH),
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def build_xl_pipeline() -> StableDiffusionXLPipeline:
    """The same with a second text encoder, which also gives one vector for the whole text."""
    tokenizer = build_tokenizer()
    config = build_text_config(len(tokenizer))
    return StableDiffusionXLPipeline(
        vae=build_vae(),
        text_encoder=CLIPTextModel(config),
        text_encoder_2=CLIPTextModelWithProjection(config),
        tokenizer=tokenizer,
        tokenizer_2=build_tokenizer(),
        unet=build_unet(
            cross_attention_dim=2 * WIDTH,
            addition_embed_type="text_time",
            addition_time_embed_dim=TIME_WIDTH,
            projection_class_embeddings_input_dim=WIDTH + SIZES * TIME_WIDTH,
        ),
        scheduler=build_scheduler(),
        add_watermarker=False,
    )


def build_scheduler() -> EulerDiscreteScheduler:
    """As a turbo model has it."""
    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        steps_offset=1,
        timestep_spacing="trailing",
    )


def build_tokenizer() -> CLIPTokenizer:
    """One token a letter."""
    tokens = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), *SPECIAL]
    with tempfile.TemporaryDirectory() as folder:
        vocabulary, merges = Path(folder, "vocab.json"), Path(folder, "merges.txt")
        vocabulary.write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
        merges.write_text("#version: 0.2\n")
        return CLIPTokenizer(str(vocabulary), str(merges), model_max_length=77)


def build_text_config(tokens: int) -> CLIPTextConfig:
    """One layer."""
    return CLIPTextConfig(
        vocab_size=tokens,
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        bos_token_id=tokens - 2,
        eos_token_id=tokens - 1,
        pad_token_id=tokens - 1,
        projection_dim=WIDTH,
    )


def build_unet(**more: Any) -> UNet2DConditionModel:
    """Two levels; the second one looks at the text."""
    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=2,
        norm_num_groups=8,
        **more,
    )


def build_vae() -> AutoencoderKL:
    """Four levels, as a real one has: an image is eight times as wide as what the unet draws."""
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
        latent_channels=4,
    )


if __name__ == "__main__":
    main()
