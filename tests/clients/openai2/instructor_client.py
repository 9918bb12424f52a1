"""Asks for an object by Instructor, which llama.cpp keeps to its schema."""

import json
import sys
from typing import Literal

import instructor
from instructor.core import InstructorRetryException
from openai import OpenAI
from pydantic import BaseModel

base_url, chat_model, _, question, _picture = sys.argv[1:]


class Colour(BaseModel):
    """A colour."""

    name: Literal["red", "green", "blue"]


client = instructor.from_openai(
    OpenAI(base_url=base_url, api_key="none", max_retries=0), mode=instructor.Mode.JSON_SCHEMA
)
options = {
    "messages": [{"role": "user", "content": question}],
    "response_model": Colour,
    "max_tokens": 64,
    "max_retries": 0,
}
colour, answer = client.create_with_completion(model=chat_model, **options)
*_, streamed = client.create_partial(model=chat_model, **options)
try:
    client.create(model="nobody", **options)
except InstructorRetryException as error:
    unknown = str(error)

report = {
    "chat": colour.name,
    "tokens": answer.usage.total_tokens,
    "streamed": streamed.name,
    "unknown": unknown,
}
json.dump(report, sys.stdout)
