"""Calls an API by LiteLLM, as one of the providers that it knows."""

import json
import sys

import litellm

base_url, chat_model, embedding_model, question, picture = sys.argv[1:]
messages = [{"role": "user", "content": question}]
api = {"api_base": base_url, "api_key": "none"}

answer = litellm.completion(model=f"openai/{chat_model}", messages=messages, max_tokens=16, **api)
chunks = list(
    litellm.completion(
        model=f"openai/{chat_model}",
        messages=messages,
        max_tokens=16,
        stream=True,
        stream_options={"include_usage": True},
        **api,
    )
)
embeddings = litellm.embedding(model=f"openai/{embedding_model}", input=["one", "two"], **api)
try:
    litellm.completion(model="openai/nobody", messages=messages, **api)
except litellm.NotFoundError as error:
    unknown = error.message
try:
    part = {"type": "image_url", "image_url": {"url": picture}}
    litellm.completion(model=f"openai/{chat_model}", messages=[{"role": "user", "content": [part]}], **api)
except litellm.BadRequestError as error:
    refused = error.message

report = {
    "chat": answer.choices[0].message.content,
    "tokens": answer.usage.total_tokens,
    "streamed": "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices),
    "vectors": [len(item["embedding"]) for item in embeddings.data],
    "embedding_tokens": embeddings.usage.total_tokens,
    "unknown": unknown,
    "refused": refused,
}
json.dump(report, sys.stdout)
