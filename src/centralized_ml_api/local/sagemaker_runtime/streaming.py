"""A model's answer, passed on as it comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp

from centralized_ml_api.local.sagemaker_runtime.event_stream import encode_part, encode_stream_error

if TYPE_CHECKING:
    from aiohttp import web


async def pass_on(answer: aiohttp.ClientResponse, response: web.StreamResponse, deadline: float) -> None:
    """Sends each piece of the model's body as an event; `deadline` is an instant of the event loop's clock.

    What goes wrong from here on is an event, too: the status is already sent.
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_ResponseStream.html
    """
    try:
        async with asyncio.timeout_at(deadline):
            async for piece in answer.content.iter_any():
                await response.write(encode_part(piece))
    except TimeoutError:
        message = "Your model primary did not complete sending the inference response in the allotted time."
        await response.write(encode_stream_error("ModelInvocationTimeExceeded", message))
    except aiohttp.ClientError:
        message = "The connection to the model was closed before the answer was complete."
        await response.write(encode_stream_error("StreamBroken", message))
