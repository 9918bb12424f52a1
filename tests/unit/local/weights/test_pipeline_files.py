"""Which files of a repository are fetched."""

from __future__ import annotations

import pytest

from centralized_ml_api.local.weights.pipeline_files import INDEX, choose_files

INDEX_OF_A_PIPELINE = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.42.0",
    "requires_safety_checker": True,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
}
SETTINGS = {
    INDEX,
    "scheduler/scheduler_config.json",
    "tokenizer/merges.txt",
    "tokenizer/special_tokens_map.json",
    "tokenizer/vocab.json",
    "unet/config.json",
}
STRANGERS = {
    ".gitattributes",
    "LICENSE.txt",
    "README.md",
    "output.jpg",
    "sd_turbo.safetensors",
    "safety_checker/config.json",
    "safety_checker/model.safetensors",
    "unet/diffusion_flax_model.msgpack",
    "unet/diffusion_pytorch_model.non_ema.bin",
    "unet/diffusion_pytorch_model.non_ema.safetensors",
    "unet/model.onnx",
    "unet/openvino_model.xml",
    "unet/pipeline.py",
    "unet/deeper/diffusion_pytorch_model.safetensors",
    "vae_decoder/model.onnx",
}
MODEL = "unet/diffusion_pytorch_model"
KINDS = [f"{MODEL}.fp16.safetensors", f"{MODEL}.safetensors", f"{MODEL}.fp16.bin", f"{MODEL}.bin"]


@pytest.mark.parametrize("best", range(len(KINDS)))
def test_one_kind_of_weights_is_taken_the_best_that_there_is(best: int) -> None:
    chosen = choose_files(SETTINGS | STRANGERS | set(KINDS[best:]), INDEX_OF_A_PIPELINE)
    assert set(chosen) == SETTINGS | {KINDS[best]}
    assert chosen == sorted(chosen)


@pytest.mark.parametrize("half", ["", ".fp16"])
def test_shards_come_together_with_their_index(half: str) -> None:
    shards = {f"{MODEL}{half}-0000{number}-of-00002.safetensors" for number in (1, 2)}
    index = f"{MODEL}.safetensors.index{half}.json"
    other = {
        f"{MODEL}-00001-of-00001.bin",
        f"{MODEL}.bin.index.json",
        f"{MODEL}.non_ema.safetensors.index.json",
    }
    assert set(choose_files(SETTINGS | shards | {index} | other, INDEX_OF_A_PIPELINE)) == (
        SETTINGS | shards | {index}
    )


def test_each_part_has_its_own_best_kind() -> None:
    index = INDEX_OF_A_PIPELINE | {"text_encoder": ["transformers", "CLIPTextModel"]}
    encoder = {"text_encoder/config.json", "text_encoder/model.safetensors"}
    more = {"text_encoder/pytorch_model.bin", "text_encoder/pytorch_model.fp16.bin"}
    chosen = choose_files(SETTINGS | encoder | more | {KINDS[0]}, index)
    assert set(chosen) == SETTINGS | encoder | {KINDS[0]}


def test_a_part_without_files_is_named() -> None:
    with pytest.raises(ValueError, match="names the part unet, which has no files"):
        choose_files([path for path in SETTINGS if not path.startswith("unet")], INDEX_OF_A_PIPELINE)


@pytest.mark.parametrize("name", ["..", "../unet", "a/b", ""])
def test_no_name_in_the_index_leads_out_of_the_repository(name: str) -> None:
    chosen = choose_files([*SETTINGS, f"{name}/config.json"], {name: ["diffusers", "UNet2DConditionModel"]})
    assert chosen == [INDEX]
