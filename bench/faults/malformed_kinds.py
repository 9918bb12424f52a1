"""Kinds of malformed requests: each function returns bytes from a random source and a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Kind = Callable[[Random, bytes], bytes]

HOST = b"Host: x"
TWO = b"Content-Length: 2"
_CHUNKED = b"Transfer-Encoding: chunked"
_SIZES = (4_000, 8_190, 8_191, 10_240, 20_000, 55_000, 61_440, 70_000, 200_000)
_COUNTS = (50, 97, 98, 99, 100, 101, 150, 1_000)
_NOT_UTF8 = (b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\xf0\x28\x8c\x28", b"\x80", b"\xc0\xaf")
_CONTROLS = (b"\x00", b"\x01", b"\x08", b"\x0b", b"\x0c", b"\x1b", b"\x7f")
_TRICKS = (
    *(b"/%2e%2e", b"/..", b"/.", b"/", b"/%00", b"/;", b"\\", b"/%5c", b"/..%2f..", b"/%c0%ae%c0%ae"),
    *(b"/%2e%2e%2f%2e%2e", b"/%252e%252e", b"/..;", b"/%", b"/%zz", b"/?/..", b"/#/.."),
)
_AUTHORITIES = (
    b"http://x",
    b"http://",
    b"https://a@b:99999",
    b"ftp://x",
    b"http://[::1",
    b"http:/x",
    b"x:80",
)


def build_request(
    path: bytes, *headers: bytes, body: bytes = b"{}", method: bytes = b"POST", version: bytes = b"HTTP/1.1"
) -> bytes:
    """Builds a request with these lines as headers, valid or not."""
    return b"\r\n".join([b" ".join((method, path, version)), *headers, b"", body])


def bad_chunks(random: Random, path: bytes) -> bytes:
    """Invalid sizes, data that is too long or too short, huge extensions."""
    bodies = [
        b"zz\r\n",
        b"-1\r\n",
        b"2\r\n{}\r\nzz\r\n",
        b"f" * 20 + b"\r\n",
        b"2\r\n{}XX0\r\n\r\n",
        b"\r\n\r\n",
    ]
    extension = b"2;" + b"x" * random.randrange(20_000) + b"\r\n{}\r\n0\r\n\r\n"
    return build_request(path, HOST, _CHUNKED, body=random.choice([*bodies, extension, b"2\n{}\n0\n\n"]))


def two_lengths(random: Random, path: bytes) -> bytes:
    """Two lengths, or one in an invalid form."""
    other = random.choice([b"2", b"3", b"-1", b"+2", b"0x2", b"2, 3", b"", b"9" * 30])
    return build_request(
        path, HOST, *random.choice([(TWO, b"Content-Length: " + other), (b"Content-Length: " + other,)])
    )


def length_and_chunks(random: Random, path: bytes) -> bytes:
    """A length and a transfer coding, in either order."""
    codings = [b"chunked", b"xchunked", b"identity", b"gzip, chunked", b"chunked, chunked", b"\x0bchunked"]
    lines = [TWO, b"Transfer-Encoding: " + random.choice(codings)]
    random.shuffle(lines)
    return build_request(path, HOST, *lines, body=b"0\r\n\r\n")


def huge_header(random: Random, path: bytes) -> bytes:
    """One header with a name or value around every limit."""
    size = random.choice(_SIZES)
    line = random.choice(
        [b"X-Large: " + b"a" * size, b"a" * size + b": 1", b"X-Forwarded-For: " + b"1.1.1.1," * (size // 8)]
    )
    return build_request(path, HOST, line, TWO)


def many_headers(random: Random, path: bytes) -> bytes:
    """As many headers as around the limit."""
    lines = [b"X-%d: 1" % number for number in range(random.choice(_COUNTS))]
    return build_request(path, HOST, *lines, TWO)


def huge_address(random: Random, path: bytes) -> bytes:
    """A query string around every limit."""
    return build_request(path + b"?" + b"q" * random.choice(_SIZES), HOST, TWO)


def not_utf8_header(random: Random, path: bytes) -> bytes:
    """A header value that is not text."""
    name = random.choice(
        [b"X-Custom", b"Cookie", b"Accept", b"Content-Type", b"Expect", b"Origin", b"User-Agent"]
    )
    return build_request(path, HOST, name + b": " + random.choice(_NOT_UTF8), TWO)


def not_utf8_path(random: Random, path: bytes) -> bytes:
    """A path or a query string that is not text, plain or encoded."""
    odd = random.choice(_NOT_UTF8)
    encoded = b"".join(b"%%%02x" % byte for byte in odd)
    return build_request(path + random.choice([odd, encoded, b"?q=" + odd, b"?q=" + encoded]), HOST, TWO)


def path_trick(random: Random, path: bytes) -> bytes:
    """Ways to evade a comparison of paths."""
    trick = random.choice(_TRICKS)
    return build_request(random.choice([trick + path, path + trick, path + trick + path]), HOST, TWO)


def absolute_form(random: Random, path: bytes) -> bytes:
    """An absolute address with a valid or an invalid host."""
    return build_request(random.choice(_AUTHORITIES) + path, HOST, TWO)


def bad_version(random: Random, path: bytes) -> bytes:
    """Other protocols, or none."""
    versions = [b"HTTP/0.9", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/9.9", b"HTTP/11", b"HTTX/1.1", b"http/1.1", b""]
    return build_request(path, HOST, TWO, version=random.choice(versions))


def bad_method(random: Random, path: bytes) -> bytes:
    """Invalid methods, and methods that the API does not support."""
    methods = [
        b"",
        b"P\xffST",
        b"A" * 10_000,
        b"GET POST",
        b"post",
        b"TRACE",
        b"CONNECT",
        b"PRI",
        b"[]",
        b"PO\0T",
    ]
    return build_request(path, HOST, b"Content-Length: 0", body=b"", method=random.choice(methods))


def control_character(random: Random, path: bytes) -> bytes:
    """NUL or another control character, in any part of a request."""
    sign = random.choice(_CONTROLS)
    return random.choice(
        [
            build_request(path, HOST, b"X-Custom: a" + sign + b"b", TWO),
            build_request(path, HOST, b"X" + sign + b"Custom: 1", TWO),
            build_request(path + sign, HOST, TWO),
        ]
    )


def bad_header_line(random: Random, path: bytes) -> bytes:
    """Lines that are not headers, and headers folded over several lines."""
    lines = [
        b"X Y: 1",
        b": 1",
        b"X\xff: 1",
        b"X(: 1",
        b"no colon",
        b'"q": 1',
        b" folded",
        b"X: a\r\n b",
        b"X:\r b",
    ]
    return build_request(path, HOST, random.choice(lines), TWO)


def bad_host(random: Random, path: bytes) -> bytes:
    """No host, two hosts, or an invalid one."""
    hosts = [
        b"Host: ",
        b"Host: a b",
        b"Host: \xff",
        b"Host: x\r\nHost: y",
        b"Host: /../",
        b"Host: a@b",
        b"X: no host",
    ]
    return build_request(
        path, random.choice([*hosts, b"Host: [" + b"x" * 300, b"Host: " + b"h" * 9_000]), TWO
    )


def odd_wish(random: Random, path: bytes) -> bytes:
    """Unusual upgrades, expectations and connection headers."""
    lines = [
        *(b"Expect: 200-maybe", b"Expect: 100-continue", b"Connection: close, content-type, host"),
        *(
            b"Connection: Upgrade\r\nUpgrade: h2c",
            b"Connection: Upgrade\r\nUpgrade: websocket",
            b"Connection: \xff",
        ),
        *(b"TE: trailers", b"Trailer: content-length", b"Range: bytes=0-0,-1,99-", b"Content-Encoding: gzip"),
    ]
    return build_request(path, HOST, random.choice(lines), TWO)


def bare_line_ends(random: Random, path: bytes) -> bytes:
    """LF instead of CRLF, everywhere or in places."""
    return build_request(path, HOST, TWO).replace(b"\r\n", b"\n", random.choice([-1, 1, 2]))


def noise(random: Random, _path: bytes) -> bytes:
    """Random bytes."""
    return random.randbytes(random.randrange(1, 2_000)) + b"\r\n\r\n"


KINDS: dict[str, Kind] = {
    kind.__name__: kind
    for kind in (
        *(bad_chunks, two_lengths, length_and_chunks, huge_header, many_headers, huge_address),
        *(not_utf8_header, not_utf8_path, path_trick, absolute_form, bad_version, bad_method),
        *(control_character, bad_header_line, bad_host, odd_wish, bare_line_ends, noise),
    )
}
