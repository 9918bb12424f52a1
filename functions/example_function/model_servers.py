# ruff: noqa: INP001  a Lambda function's folder is not a package
"""Translates texts and parameters into requests of two model servers, and responses into texts. Pure."""

from __future__ import annotations

from typing import Any, Protocol

from text_generation import UnexpectedAnswerError


class ModelServer(Protocol):
    """The API of one kind of model server; `input_key` is the key under which its bodies have the input."""

    input_key: str

    def build_requests(self, text: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        """Returns the bodies to send, one or several, for the texts that the caller wants."""
        ...

    def read_texts(self, text: str, parameters: dict[str, Any], answer: Any) -> list[str]:
        """Returns the generated texts of one response.

        Raises:
            UnexpectedAnswerError: The response has another form.
        """
        ...


class TextGenerationInference:
    """Hugging Face's TGI, which JumpStart's containers run.

    Source: https://huggingface.co/docs/text-generation-inference/reference/api_reference (/generate)
    """

    input_key = "inputs"
    _SAME = ("do_sample", "max_new_tokens", "repetition_penalty", "return_full_text", "stop", "top_k")

    def build_requests(self, text: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        """Returns one request per text, because TGI generates one at a time; each gets the next seed."""
        translated = {name: parameters[name] for name in self._SAME if name in parameters}
        translated |= self._sampling(parameters)
        number = parameters["num_return_sequences"]
        if number > 1:
            translated.setdefault("do_sample", True)
        seeds = [
            {"seed": parameters["seed"] + turn} if "seed" in parameters else {} for turn in range(number)
        ]
        return [{"inputs": text, "parameters": {**translated, **seed}} for seed in seeds]

    def read_texts(self, text: str, parameters: dict[str, Any], answer: Any) -> list[str]:
        """Reads `[{"generated_text": ...}]`, or only the object, which some versions return."""
        del text, parameters
        parts = answer if isinstance(answer, list) else [answer]
        return [_string(part, "generated_text") for part in parts]

    @staticmethod
    def _sampling(parameters: dict[str, Any]) -> dict[str, Any]:
        """Avoids what TGI refuses: a temperature of 0 (greedy) and a top_p of 1 (no effect)."""
        translated: dict[str, Any] = {}
        temperature = parameters.get("temperature")
        if temperature == 0:
            translated["do_sample"] = False
        elif temperature is not None:
            translated["temperature"] = temperature
        if parameters.get("top_p", 1) < 1:
            translated["top_p"] = parameters["top_p"]
        return translated


class OpenAiChat:
    """The chat completions of OpenAI's API, which llama.cpp's server speaks.

    Source: https://platform.openai.com/docs/api-reference/chat/create; `top_k` and `repeat_penalty` are
    llama.cpp's own.
    """

    input_key = "messages"
    _NAMES = {  # noqa: RUF012  never changed
        "max_new_tokens": "max_tokens",
        "repetition_penalty": "repeat_penalty",
        "stop": "stop",
        "temperature": "temperature",
        "top_k": "top_k",
        "top_p": "top_p",
    }

    def build_requests(self, text: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        """Returns one request per text: a server with fewer slots than a request's `n` would refuse it."""
        translated = {new: parameters[old] for old, new in self._NAMES.items() if old in parameters}
        if parameters.get("do_sample") is False:
            translated["temperature"] = 0
        messages = [{"role": "user", "content": text}]
        return [{"messages": messages, **translated, **seed} for seed in _seeds(parameters)]

    def read_texts(self, text: str, parameters: dict[str, Any], answer: Any) -> list[str]:
        """Reads `choices[].message.content` in the order of `index`."""
        choices = answer.get("choices") if isinstance(answer, dict) else None
        if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
            raise UnexpectedAnswerError("choices")
        choices = sorted(choices, key=lambda choice: choice.get("index", 0))
        texts = [_string(choice.get("message"), "content") for choice in choices]
        return [text + generated for generated in texts] if parameters.get("return_full_text") else texts


MODEL_SERVERS: dict[str, ModelServer] = {
    "openai-chat": OpenAiChat(),
    "text-generation-inference": TextGenerationInference(),
}
"""By the value of the environment variable MODEL_SPEAKS."""


def _seeds(parameters: dict[str, Any]) -> list[dict[str, int]]:
    """Returns consecutive seeds for the texts; empty if the caller gave none."""
    turns = range(parameters["num_return_sequences"])
    return [{"seed": parameters["seed"] + turn} if "seed" in parameters else {} for turn in turns]


def _string(part: Any, key: str) -> str:
    value = part.get(key) if isinstance(part, dict) else None
    if not isinstance(value, str):
        raise UnexpectedAnswerError(key)
    return value
