"""Calls an API by an agent of Pydantic AI."""

import asyncio
import json
import sys
from typing import Any

from pydantic_ai import Agent, ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

base_url, chat_model, _, question, _picture = sys.argv[1:]
provider = OpenAIProvider(base_url=base_url, api_key="none")


async def report() -> dict[str, Any]:
    """Calls it."""
    agent = Agent(OpenAIChatModel(chat_model, provider=provider), model_settings={"max_tokens": 16})
    answer = await agent.run(question)
    async with agent.run_stream(question) as stream:
        pieces = [piece async for piece in stream.stream_text(delta=True)]
    try:
        await Agent(OpenAIChatModel("nobody", provider=provider)).run(question)
    except ModelHTTPError as error:
        unknown = error.message
    return {
        "chat": answer.output,
        "tokens": answer.usage.total_tokens,
        "streamed": "".join(pieces),
        "streamed_tokens": stream.usage.total_tokens,
        "unknown": unknown,
    }


json.dump(asyncio.run(report()), sys.stdout)
