"""Calls an API by OpenAI's own client for Python."""

import json
import sys
from typing import Any

from openai import BadRequestError, NotFoundError, OpenAI

base_url, chat_model, embedding_model, question, picture = sys.argv[1:]
client: Any = OpenAI(base_url=base_url, api_key="none")
messages = [{"role": "user", "content": question}]

answer = client.chat.completions.create(model=chat_model, messages=messages, max_tokens=16, seed=2**64 - 1)
stream = client.chat.completions.create(
    model=chat_model, messages=messages, max_tokens=16, stream=True, stream_options={"include_usage": True}
)
chunks = list(stream)
embeddings = client.embeddings.create(model=embedding_model, input=["one", "two"])
try:
    client.chat.completions.create(model="nobody", messages=messages)
except NotFoundError as error:
    unknown = error.message
try:
    part = {"type": "image_url", "image_url": {"url": picture}}
    client.chat.completions.create(model=chat_model, messages=[{"role": "user", "content": [part]}])
except BadRequestError as error:
    refused = error.message

report = {
    "chat": answer.choices[0].message.content,
    "tokens": answer.usage.total_tokens,
    "streamed": "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices),
    "streamed_tokens": chunks[-1].usage.total_tokens,
    "vectors": [len(item.embedding) for item in embeddings.data],
    "embedding_tokens": embeddings.usage.total_tokens,
    "unknown": unknown,
    "refused": refused,
}
json.dump(report, sys.stdout)
