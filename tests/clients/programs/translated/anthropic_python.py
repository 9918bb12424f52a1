"""Calls a model whose server speaks OpenAI's chats by Anthropic's own client for Python."""

import json
import sys
from collections.abc import Callable
from typing import Any

from anthropic import Anthropic, BadRequestError, NotFoundError, RateLimitError

base_url, chat_model, limited_model, question, picture = sys.argv[1:]
client: Any = Anthropic(base_url=base_url.removesuffix("/v1"), api_key="none", max_retries=0)
messages = [{"role": "user", "content": question}]
tool = {"name": "get_weather", "description": "Tells the weather.", "input_schema": {"type": "object"}}
image = {"type": "base64", "media_type": "image/png", "data": picture.rpartition(",")[2]}
shown = [{"type": "image", "source": image}, {"type": "text", "text": question}]
asked = {"model": chat_model, "messages": messages, "max_tokens": 500}

answer = client.messages.create(**asked, system="Be brief.", stop_sequences=["END"])
with client.messages.stream(**asked) as stream:
    streamed = "".join(stream.text_stream)
    final = stream.get_final_message()
with client.messages.stream(**asked, tools=[tool], tool_choice={"type": "any"}) as stream:
    called = stream.get_final_message()
(call,) = [block for block in called.content if block.type == "tool_use"]
result = {"type": "tool_result", "tool_use_id": call.id, "content": "12 degrees"}
talk = [
    {"role": "user", "content": shown},
    {"role": "assistant", "content": called.content},
    {"role": "user", "content": [result]},
]
went_on = client.messages.create(**{**asked, "messages": talk})
report: dict[str, Any] = {}
attempts: tuple[tuple[str, Callable[[], Any], type[Any]], ...] = (
    ("limited", lambda: client.messages.create(**{**asked, "model": limited_model}), RateLimitError),
    ("refused", lambda: client.messages.create(**asked, extra_body={"top_k": 5}), BadRequestError),
    ("uncounted", lambda: client.messages.count_tokens(model=chat_model, messages=messages), NotFoundError),
)
for name, act, kind in attempts:
    try:
        act()
    except kind as error:
        report[name] = [error.type, error.message, error.request_id]

usage = answer.usage
json.dump(
    {
        **report,
        "chat": answer.content[0].text,
        "stop": answer.stop_reason,
        "tokens": [
            answer.usage.input_tokens,
            answer.usage.cache_read_input_tokens,
            answer.usage.output_tokens,
        ],
        "streamed": streamed,
        "streamed_tokens": [final.usage.input_tokens, final.usage.output_tokens],
        "called": [call.name, call.input, called.stop_reason],
        "went_on": went_on.content[0].text,
        "routes": [model.to_dict()["routes"] for model in client.models.list()],
    },
    sys.stdout,
)
