"""The streaming function as Lambda runs it: real Node, a runtime API, one event at a time.

    with start_stream_host(models={"m": {"endpoint": "e", "speaks": "openai-chat"}}, sagemaker_url=...) as h:
        status, headers, body = h.invoke(build_event("/v1/chat/completions", {"model": ...}))
        for piece in body: ...

`start_front` puts an HTTP server before it, for clients that speak HTTP.
"""

from support.stream_host.event import build_event
from support.stream_host.front import start_front
from support.stream_host.host import StreamAnswer, StreamHost, start_stream_host
from support.stream_host.runtime_api import BrokenAnswerError

__all__ = [
    "BrokenAnswerError",
    "StreamAnswer",
    "StreamHost",
    "build_event",
    "start_front",
    "start_stream_host",
]
