"""Calls an API by LangChain's models."""

import json
import sys

from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openai import NotFoundError

base_url, chat_model, embedding_model, question, _picture = sys.argv[1:]

model = ChatOpenAI(model=chat_model, base_url=base_url, api_key="none", max_tokens=16, stream_usage=True)
answer = model.invoke(question)
chunks = list(model.stream(question))
# Otherwise it sends tokens of OpenAI's own models instead of texts.
embeddings = OpenAIEmbeddings(
    model=embedding_model, base_url=base_url, api_key="none", check_embedding_ctx_length=False
)
try:
    ChatOpenAI(model="nobody", base_url=base_url, api_key="none").invoke(question)
except NotFoundError as error:
    unknown = error.message

report = {
    "chat": answer.content,
    "tokens": answer.usage_metadata["total_tokens"],
    "streamed": "".join(chunk.content for chunk in chunks),
    "streamed_tokens": sum((chunk.usage_metadata or {}).get("total_tokens", 0) for chunk in chunks),
    "vectors": [len(vector) for vector in embeddings.embed_documents(["one", "two"])],
    "unknown": unknown,
}
json.dump(report, sys.stdout)
