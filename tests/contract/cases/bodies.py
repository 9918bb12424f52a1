"""No body is parsed or rewritten on the way, in or out; its `Content-Type` stays its own."""

from __future__ import annotations

import hashlib
import random

from contract.case import Bytes, Case, Expected, Request, Saw

_RANDOM = random.Random(0)  # noqa: S311
_PNG = b"\x89PNG\r\n\x1a\n" + _RANDOM.randbytes(1000)
BODIES = {
    "JSON": ("application/json", b'{ "a":1.0,\r\n"a": "\\u00e9 \xc3\xa9"}'),
    "something that only says it is JSON": ("application/json", b"{not json"),
    "no": ("application/json", b""),
    "text": ("text/plain; charset=utf-8", "äöü 你好 🙂\r\n".encode()),
    "form": ("application/x-www-form-urlencoded", b"a=1&b=%20"),
    "npy": ("application/x-npy", b"\x93NUMPY\x01\x00" + _RANDOM.randbytes(1000)),
    "image": ("image/png", _PNG),
    "audio": ("audio/wav", b"RIFF" + _RANDOM.randbytes(1000)),
    "unnamed binary": ("application/octet-stream", _RANDOM.randbytes(100_000)),
}
CASES = [
    *(
        Case(
            f"a body passes unchanged both ways: {kind}",
            Request("/same", body, headers={"Content-Type": content_type, "Accept": content_type}),
            Expected(200, Bytes(body), content_type),
        )
        for kind, (content_type, body) in BODIES.items()
    ),
    Case(
        "a chunked body arrives whole",
        Request("/echo", _PNG, headers={"Content-Type": "image/png"}, chunked=True),
        Expected(200, Saw({"content-type": "image/png"}, sha256=hashlib.sha256(_PNG).hexdigest())),
    ),
]
