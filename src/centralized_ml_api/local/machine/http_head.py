"""Reads the head of an HTTP response, for all who ask by hand: a client library takes long to import.

Source: https://www.rfc-editor.org/rfc/rfc9112#section-4
"""

from __future__ import annotations

from http import HTTPStatus

from centralized_ml_api.record import record

HEAD_END = b"\r\n\r\n"
"""What a head ends with."""


@record
class ResponseHead:
    """The head of a response.

    Attributes:
        version: In lower case, such as `http/1.1`.
        status: The status.
        headers: Names in lower case and values, in the order in which they came.
    """

    version: str
    status: int
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str:
        """Returns the last value of a header, empty without one.

        Args:
            name: In lower case.
        """
        return next((value for own, value in reversed(self.headers) if own == name), "")

    @property
    def is_ok(self) -> bool:
        """Whether the status is one of success."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks, each with its length."""
        codings = self.header("transfer-encoding").lower().split(",")
        return codings[-1].strip() == "chunked"

    @property
    def says_it_closes(self) -> bool:
        """Whether it announces that its server closes the connection."""
        return self.version.startswith("http/1.0") or "close" in self.header("connection").lower()


def read_head(head: bytes) -> ResponseHead:
    """Reads a head, with or without its end. Pure.

    Bytes that are not UTF-8 stay what they are when the text is encoded with `surrogateescape` again.

    Raises:
        ValueError: It is not one of HTTP.
    """
    first, *lines = head.removesuffix(HEAD_END).decode("utf-8", "surrogateescape").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.lower().startswith("http/"):
        raise ValueError("the answer is not HTTP")
    pairs = (line.partition(":") for line in lines)
    headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
    return ResponseHead(version.lower(), int(rest.partition(" ")[0]), headers)
