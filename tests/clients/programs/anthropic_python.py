"""Calls an API by Anthropic's own client for Python."""

import json
import sys
from typing import Any

from anthropic import Anthropic, BadRequestError, NotFoundError

base_url, chat_model, _, question, picture = sys.argv[1:]
client: Any = Anthropic(base_url=base_url.removesuffix("/v1"), api_key="none", max_retries=0)
messages = [{"role": "user", "content": question}]
tool = {"name": "look_up", "description": "Looks up a colour.", "input_schema": {"type": "object"}}
image = {"type": "base64", "media_type": "image/png", "data": picture.rpartition(",")[2]}

counted = client.messages.count_tokens(model=chat_model, messages=messages)
answer = client.messages.create(model=chat_model, messages=messages, max_tokens=16)
with client.messages.stream(model=chat_model, messages=messages, max_tokens=16, tools=[tool]) as stream:
    streamed = "".join(stream.text_stream)
    final = stream.get_final_message()
try:
    client.messages.create(model="nobody", messages=messages, max_tokens=16)
except NotFoundError as error:
    unknown, kind, request = error.message, error.type, error.request_id
try:
    content = [{"type": "image", "source": image}]
    client.messages.create(model=chat_model, messages=[{"role": "user", "content": content}], max_tokens=16)
    refusal = {}
except BadRequestError as error:
    refusal = {"refused": error.message}

json.dump(
    {
        **refusal,
        "chat": answer.content[0].text,
        "tokens": answer.usage.input_tokens
        + answer.usage.cache_read_input_tokens
        + answer.usage.output_tokens,
        "streamed": streamed,
        "streamed_tokens": final.usage.output_tokens,
        "counted": counted.input_tokens,
        "models": [model.id for model in client.models.list()],
        "unknown": unknown,
        "kind": kind,
        "request": request,
    },
    sys.stdout,
)
