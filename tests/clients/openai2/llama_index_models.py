"""Calls an API by LlamaIndex's models."""

import json
import sys

from llama_index.core.llms import ChatMessage
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike
from openai import NotFoundError

base_url, chat_model, embedding_model, question, _picture = sys.argv[1:]
api = {"api_base": base_url, "api_key": "none"}
messages = [ChatMessage(role="user", content=question)]

model = OpenAILike(model=chat_model, is_chat_model=True, max_tokens=16, **api)
answer = model.chat(messages)
chunks = list(model.stream_chat(messages))
embedding = OpenAILikeEmbedding(model_name=embedding_model, **api)
try:
    OpenAILike(model="nobody", is_chat_model=True, **api).chat(messages)
except NotFoundError as error:
    unknown = error.message

report = {
    "chat": answer.message.content,
    "tokens": answer.raw.usage.total_tokens,
    "streamed": "".join(chunk.delta or "" for chunk in chunks),
    "vectors": [len(vector) for vector in embedding.get_text_embedding_batch(["one", "two"])],
    "unknown": unknown,
}
json.dump(report, sys.stdout)
