"""Meets a budget that is used up, and a rate, by OpenAI's own client for Python, which tries again."""

import json
import sys

from openai import DefaultHttpxClient, OpenAI, RateLimitError
from openai.resources.chat import Completions
from openai.types.chat import ChatCompletion

base_url, model, spent_key, slow_key = sys.argv[1:]
asked: list[object] = []
http_client = DefaultHttpxClient(event_hooks={"request": [asked.append]})
clients = (OpenAI(base_url=base_url, api_key=key, http_client=http_client) for key in (spent_key, slow_key))
spent, slow = (client.chat.completions for client in clients)


def say_hi(completions: Completions) -> ChatCompletion:
    """Returns the answer to a short chat."""
    return completions.create(model=model, messages=[{"role": "user", "content": "Hi"}], max_tokens=16)


try:
    say_hi(spent)
except RateLimitError as error:
    refused = error.message
refused_after = len(asked)
say_hi(slow)
asked.clear()
waited = say_hi(slow)

json.dump(
    {
        "refused": refused,
        "refused_after": refused_after,
        "waited": waited.choices[0].message.content,
        "waited_after": len(asked),
    },
    sys.stdout,
)
