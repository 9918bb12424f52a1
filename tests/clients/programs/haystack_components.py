"""Calls an API by Haystack's components."""

import json
import sys

from haystack import Document
from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.utils import Secret
from openai import NotFoundError

base_url, chat_model, embedding_model, question, _picture = sys.argv[1:]
key = Secret.from_token("none")
parameters = {"max_tokens": 16}
messages = [ChatMessage.from_user(question)]

generator = OpenAIChatGenerator(
    api_key=key, model=chat_model, api_base_url=base_url, generation_kwargs=parameters
)
(reply,) = generator.run(messages)["replies"]
pieces = []
generator.run(messages, streaming_callback=lambda chunk: pieces.append(chunk.content))
text = OpenAITextEmbedder(api_key=key, model=embedding_model, api_base_url=base_url).run("one")
documents = OpenAIDocumentEmbedder(
    api_key=key, model=embedding_model, api_base_url=base_url, progress_bar=False
).run([Document(content="one"), Document(content="two")])
try:
    OpenAIChatGenerator(api_key=key, model="nobody", api_base_url=base_url).run(messages)
except NotFoundError as error:
    unknown = error.message

report = {
    "chat": reply.text,
    "tokens": reply.meta["usage"]["total_tokens"],
    "streamed": "".join(pieces),
    "vectors": [len(text["embedding"]), *(len(item.embedding) for item in documents["documents"])],
    "embedding_tokens": text["meta"]["usage"]["total_tokens"],
    "unknown": unknown,
}
json.dump(report, sys.stdout)
