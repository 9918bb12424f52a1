"""The config of an event with chats, for tests of the page: `chat`, `other`, and `sees`, which is brief."""

from __future__ import annotations

from typing import Any

PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SYSTEM = "Be brief."
BRIEF_TOKENS = 200
MARKDOWN = """\
### A plan

1. Resample `five` minutes.
2. Split by **day**.

| Approach | F1 |
| --- | ---: |
| Stays | 0.61 |

```python
print("à < b")
```

- [x] done
"""


def build_config() -> dict[str, Any]:
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "Hi?"}]
    seen = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    chats = {
        "chat": {"messages": messages, "max_tokens": 640},
        "other": {"messages": messages},
        "sees": {"messages": [{"role": "user", "content": seen}]},
    }
    local = {"engine": "url", "url": "http://127.0.0.1:9/v1/chat/completions", "speaks": "openai-chat"}
    entries = [
        {"name": name, "integration": {"type": "api"}, "local": local, "sample": sample}
        for name, sample in chats.items()
    ]
    entries[-1]["max_output_tokens"] = BRIEF_TOKENS
    event = {"title": "Spring Hack", "welcome": "Hello **all**.", "ends": "2099-06-01T18:00:00+02:00"}
    return {"models": [], "endpoints": entries, "event": event}
