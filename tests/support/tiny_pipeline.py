"""Writes a tiny Stable Diffusion pipeline with random weights, in the environment of that model.

    ENVIRONMENT/bin/python tiny_pipeline.py FOLDER [--half]

The classes are those of a real one (with `--half` the files are named and stored in half precision too); what
it draws is noise. Takes some seconds and 1 MB.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

WIDTH = 32
"""Numbers for each token."""

SPECIAL = ("<|startoftext|>", "<|endoftext|>")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def main() -> None:
    """Builds it and saves it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--half", action="store_true")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    pipeline = build_pipeline()
    if arguments.half:
        pipeline = pipeline.to(torch.float16)
    pipeline.save_pretrained(arguments.folder, variant="fp16" if arguments.half else None)


def build_pipeline() -> StableDiffusionPipeline:
    """The parts of a turbo model, each as small as its class allows."""
    tokenizer = build_tokenizer()
    return StableDiffusionPipeline(
        vae=build_vae(),
        text_encoder=build_text_encoder(len(tokenizer)),
        tokenizer=tokenizer,
        unet=build_unet(),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            steps_offset=1,
            timestep_spacing="trailing",
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def build_tokenizer() -> CLIPTokenizer:
    """One token a letter."""
    tokens = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), *SPECIAL]
    with tempfile.TemporaryDirectory() as folder:
        vocabulary, merges = Path(folder, "vocab.json"), Path(folder, "merges.txt")
        vocabulary.write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
        merges.write_text("#version: 0.2\n")
        return CLIPTokenizer(str(vocabulary), str(merges), model_max_length=77)


def build_text_encoder(tokens: int) -> CLIPTextModel:
    """One layer."""
    config = CLIPTextConfig(
        vocab_size=tokens,
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        bos_token_id=tokens - 2,
        eos_token_id=tokens - 1,
        pad_token_id=tokens - 1,
    )
    return CLIPTextModel(config)


def build_unet() -> UNet2DConditionModel:
    """Two levels; the second one looks at the text."""
    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=2,
        norm_num_groups=8,
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
