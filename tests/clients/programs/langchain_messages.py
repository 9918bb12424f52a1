"""Calls Anthropic's API by LangChain's model for it."""

import json
import sys
from typing import Any

from anthropic import BadRequestError, NotFoundError
from langchain_anthropic import ChatAnthropic

base_url, chat_model, _, question, picture = sys.argv[1:]
options: dict[str, Any] = {"base_url": base_url.removesuffix("/v1"), "api_key": "none", "max_tokens": 16}

model = ChatAnthropic(model=chat_model, **options)
answer = model.invoke(question)
chunks = list(model.stream(question))
try:
    ChatAnthropic(model="nobody", **options).invoke(question)
except NotFoundError as error:
    unknown = error.message
try:
    model.invoke([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": picture}}]}])
except BadRequestError as error:
    refused = error.message

report = {
    "chat": answer.text,
    "tokens": answer.usage_metadata["total_tokens"],
    "streamed": "".join(chunk.text for chunk in chunks),
    "streamed_tokens": sum((chunk.usage_metadata or {}).get("total_tokens", 0) for chunk in chunks),
    "unknown": unknown,
    "refused": refused,
}
json.dump(report, sys.stdout)
