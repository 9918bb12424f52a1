"""Calls an API by the model of smolagents' agents, which reads `usage` of every answer."""

import json
import sys

from openai import NotFoundError
from smolagents import OpenAIModel

base_url, chat_model, _embedding_model, question, _picture = sys.argv[1:]
messages = [{"role": "user", "content": [{"type": "text", "text": question}]}]

model = OpenAIModel(chat_model, api_base=base_url, api_key="none", max_tokens=16)
answer = model.generate(messages, stop_sequences=["Observation:"])
deltas = list(model.generate_stream(messages))
try:
    OpenAIModel("nobody", api_base=base_url, api_key="none").generate(messages)
except NotFoundError as error:
    unknown = error.message

report = {
    "chat": answer.content,
    "tokens": answer.token_usage.total_tokens,
    "streamed": "".join(delta.content or "" for delta in deltas),
    "streamed_tokens": sum(delta.token_usage.total_tokens for delta in deltas if delta.token_usage),
    "unknown": unknown,
}
json.dump(report, sys.stdout)
