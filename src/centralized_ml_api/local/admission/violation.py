"""What a request may ask of an engine, and what is wrong with one that asks for more."""

from __future__ import annotations

from centralized_ml_api.record import record


@record
class Violation:
    """Why a request is refused: `field` as a path such as `messages[2].role`, `message` for a participant.

    It becomes a 400, `invalid_request_error`.
    """

    field: str
    message: str


@record
class LlamaCppLimits:
    """What one request may ask of llama.cpp's server.

    Attributes:
        context_tokens: What a conversation may take, prompt and answer together.
        max_output_tokens: What an answer may take.
        slots: How many conversations the server computes at once.
        shares_prompts: Whether the server may reuse the beginning of another caller's prompt: that is faster,
            and the answer tells how much of it was the same.
        takes_tools: Whether the model's chat template can show tools to the model; None if nobody knows.
    """

    context_tokens: int
    max_output_tokens: int
    slots: int
    takes_tools: bool | None = None
    shares_prompts: bool = True
