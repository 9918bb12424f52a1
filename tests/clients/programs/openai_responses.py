"""Calls Responses and completions by OpenAI's own client for Python."""

import json
import sys
from typing import Any

from openai import BadRequestError, NotFoundError, OpenAI

base_url, chat_model, embedding_model, question, picture = sys.argv[1:]
client: Any = OpenAI(base_url=base_url, api_key="none", max_retries=0)
asked = {"model": chat_model, "input": question, "max_output_tokens": 16}

answer = client.responses.create(**asked)
events = list(client.responses.create(**asked, stream=True))
told = {"model": chat_model, "prompt": "Once upon a time", "max_tokens": 8}
parts: dict[str, str] = {}
try:
    parts["completed"] = client.completions.create(**told).choices[0].text
    chunks = list(client.completions.create(**told, stream=True))
    parts["completed_streamed"] = "".join(chunk.choices[0].text for chunk in chunks if chunk.choices)
except NotFoundError as error:
    parts["not_completed"] = error.message
try:
    client.responses.create(**{**asked, "model": embedding_model})
except NotFoundError as error:
    elsewhere = error.message
try:
    client.responses.create(**{**asked, "model": "nobody"})
except NotFoundError as error:
    unknown = error.message
try:
    part = {"type": "input_image", "image_url": picture}
    client.responses.create(**{**asked, "input": [{"role": "user", "content": [part]}]})
except BadRequestError as error:
    parts["refused"] = error.message
try:
    client.responses.create(**asked, previous_response_id=answer.id)
except BadRequestError as error:
    unkept = error.message

report = {
    **parts,
    "chat": answer.output_text,
    "tokens": answer.usage.total_tokens,
    "streamed": "".join(event.delta for event in events if event.type == "response.output_text.delta"),
    "streamed_tokens": events[-1].response.usage.total_tokens,
    "elsewhere": elsewhere,
    "unknown": unknown,
    "unkept": unkept,
}
json.dump(report, sys.stdout)
