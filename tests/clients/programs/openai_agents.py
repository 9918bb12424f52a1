"""Calls an API by an agent of OpenAI's Agents SDK, at chats."""

import asyncio
import json
import sys
from typing import Any

from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from openai import AsyncOpenAI, NotFoundError

base_url, chat_model, _, question, _picture = sys.argv[1:]
client = AsyncOpenAI(base_url=base_url, api_key="none")
set_tracing_disabled(True)


def make_agent(kind: Any, model: str) -> Any:
    """Returns an agent with that model; `kind` decides which path it calls."""
    settings = ModelSettings(max_tokens=16, include_usage=True)
    return Agent(name="namer", model=kind(model, client), model_settings=settings)


async def report(kind: Any) -> dict[str, Any]:
    """Calls it."""
    answer = await Runner.run(make_agent(kind, chat_model), question)
    stream = Runner.run_streamed(make_agent(kind, chat_model), question)
    events = [event.data async for event in stream.stream_events() if event.type == "raw_response_event"]
    try:
        await Runner.run(make_agent(kind, "nobody"), question)
    except NotFoundError as error:
        unknown = error.message
    return {
        "chat": answer.final_output,
        "tokens": answer.context_wrapper.usage.total_tokens,
        "streamed": "".join(event.delta for event in events if event.type == "response.output_text.delta"),
        "streamed_tokens": stream.context_wrapper.usage.total_tokens,
        "unknown": unknown,
    }


if __name__ == "__main__":
    json.dump(asyncio.run(report(OpenAIChatCompletionsModel)), sys.stdout)
