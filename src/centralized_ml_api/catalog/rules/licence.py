"""Licences: which must be accepted before a model is used, and which one a family is documented to have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from centralized_ml_api.catalog.facts import Eula
from centralized_ml_api.catalog.failures import LicenceError
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from centralized_ml_api.catalog.rules.regions import Buckets
    from centralized_ml_api.catalog.spec import Spec
    from centralized_ml_api.errors import CatalogError

_APACHE, _MIT = "Apache-2.0", "MIT"
_LISTED = "https://github.com/eugeneyan/open-llms"
_MISTRAL = "https://docs.mistral.ai/getting-started/open_weight_models/"


@record
class LicenceName:
    """A licence by its SPDX id or its own name, and the page that says that the model has it."""

    name: str
    source: str


_TO_ACCEPT = {
    "llamaEula": "Llama 2",
    "llama3Eula": "Llama 3",
    "llama3_1Eula": "Llama 3.1",
    "llama3_2Eula": "Llama 3.2",
    "llama3_3Eula": "Llama 3.3",
    "gemmaTerms": "Gemma",
    "gemma2Eula": "Gemma 2",
    "gemma3Eula": "Gemma 3",
    "databricksOpenModelLicense": "Databricks Open Model",
}
"""Licences that JumpStart asks to accept, by the file names of their texts, which are the source.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/jumpstart-foundation-models-choose.html.
"""

_FAMILIES = {
    "asr-whisper": LicenceName(_MIT, "https://github.com/openai/whisper#license"),
    "llm-mistral-7b": LicenceName(_APACHE, _MISTRAL),
    "llm-mixtral-8x7b": LicenceName(_APACHE, _MISTRAL),
    "llm-mixtral-8x22b": LicenceName(_APACHE, _MISTRAL),
    "llm-mistralai-mixtral-8x22b": LicenceName(_APACHE, _MISTRAL),
    "llm-qwen2-0-5b": LicenceName(_APACHE, "https://huggingface.co/Qwen/Qwen2-72B/discussions/1"),
    "llm-qwen2-1-5b": LicenceName(_APACHE, "https://huggingface.co/Qwen/Qwen2-72B/discussions/1"),
    "llm-qwen2-7b": LicenceName(_APACHE, "https://huggingface.co/Qwen/Qwen2-72B/discussions/1"),
    "llm-qwen2-5-7b": LicenceName(_APACHE, "https://huggingface.co/Qwen/Qwen2.5-7B-Instruct"),
    "llm-falcon-7b": LicenceName(_APACHE, _LISTED),
    "llm-falcon-40b": LicenceName(_APACHE, _LISTED),
    "llm-phi-2": LicenceName(_MIT, _LISTED),
    "llm-eleutherai-gpt-neo": LicenceName(_MIT, "https://huggingface.co/EleutherAI/gpt-neo-2.7B"),
    "llm-eleutherai-pythia": LicenceName(_APACHE, _LISTED),
    "llm-openlm-research-open-llama": LicenceName(_APACHE, _LISTED),
    "sentencesimilarity-bge-base-en-v1-5": LicenceName(_MIT, "https://huggingface.co/BAAI/bge-base-en-v1.5"),
    "text2text-flan-t5": LicenceName(_APACHE, _LISTED),
    "textgeneration-bloom": LicenceName("BigScience RAIL 1.0", "https://huggingface.co/bigscience/bloom"),
    "textgeneration-dolly-v2": LicenceName(_MIT, _LISTED),
    "textgeneration-falcon-7b": LicenceName(_APACHE, _LISTED),
    "textgeneration-falcon-40b": LicenceName(_APACHE, _LISTED),
    "textgeneration-open-llama": LicenceName(_APACHE, _LISTED),
    "textgeneration1-bloom": LicenceName("BigScience RAIL 1.0", "https://huggingface.co/bigscience/bloom"),
    "textgeneration1-gpt-j-6b": LicenceName(_APACHE, _LISTED),
    "textgeneration1-gpt-neo": LicenceName(_MIT, "https://huggingface.co/EleutherAI/gpt-neo-2.7B"),
    "textgeneration1-redpajama-incite": LicenceName(_APACHE, _LISTED),
    "textgeneration2-gpt-neox-20b": LicenceName(_APACHE, _LISTED),
    "txt2img-runwayml-stable-diffusion-v1-5": LicenceName(
        "CreativeML Open RAIL-M", "https://huggingface.co/runwayml/stable-diffusion-v1-5"
    ),
    "imagegeneration-stabilityai-stable-diffusion-xl-base-1-0": LicenceName(
        "CreativeML Open RAIL++-M", "https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0"
    ),
}
"""Families by the start of their ids, without the first word, which is JumpStart's publisher.

Only what a source says of this very family; all sources were read on 2026-11-22.
"""

_FORM = re.compile(
    r"\d+[bm]?\d?|v\d+|tiny|small|medium|base|large|turbo|xl|xxl|chat|instruct|deduped|bnb|gptq|bf16|fp16|int8"
)
"""What may follow the start: sizes, versions and forms. `openorca` may not: somebody trained that further."""


def find_eula(spec: Spec, buckets: Buckets) -> Eula:
    """Returns the licence to accept (rule 15), which a spec names, or a gated bucket implies."""
    key = spec.get("hosting_eula_key")
    return Eula(
        required=bool(key or spec.get("gated_bucket")),
        url=f"{buckets.content_url}/{key}" if key else None,
    )


def check_licence(spec: Spec, eula: Eula, *, accepted: bool) -> Iterator[CatalogError]:
    """Refuses a gated model without an accepted licence, with the address of its text (rule 15).

    Args:
        spec: The spec, for the model's id.
        eula: Its licence.
        accepted: Whether the config accepts it.
    """
    if not eula.required or accepted:
        return
    where = eula.url or "on the page of its publisher"
    yield LicenceError(
        f"{spec['model_id']} requires you to accept its licence: {where}",
        found="a gated model whose licence is not accepted",
        expected=f'"accept_eula": true, once you have read the licence: {where}',
        fix='write "accept_eula": true',
    )


def licence_of(model_id: str, eula_url: str | None = None) -> LicenceName | None:
    """Returns the licence of the text to accept, else that of the family (rule 23); None if neither is known.

    Args:
        model_id: JumpStart's id.
        eula_url: The address of the text to accept, if there is one.
    """
    if eula_url:
        named = _TO_ACCEPT.get(eula_url.rpartition("/")[2].partition(".")[0])
        return LicenceName(named, eula_url) if named else None
    of_family = model_id.lower().partition("-")[2]
    return next((licence for start, licence in _FAMILIES.items() if _is_of(of_family, start)), None)


def _is_of(model: str, family: str) -> bool:
    """Returns whether the model is the family's own, in one of its sizes and forms."""
    rest = model.removeprefix(family)
    forms = rest.removeprefix("-").split("-") if rest else []
    return model.startswith(family) and all(_FORM.fullmatch(form) for form in forms)
