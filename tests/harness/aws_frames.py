"""Messages of application/vnd.amazon.eventstream, as AWS sends them. SPDX-License-Identifier: MIT"""

import base64
import struct
import zlib

from .replies import dumps


def _header(name, value):
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()


def message(headers, payload):
    head = b"".join(_header(name, value) for name, value in headers)
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + payload
    return body + struct.pack(">I", zlib.crc32(body))


def event(kind, value):
    headers = [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")]
    return message(headers, dumps(value | {"p": "abcdef"}).encode())


def exception(kind, words):
    headers = [(":exception-type", kind), (":content-type", "application/json"), (":message-type", "exception")]
    return message(headers, dumps({"message": words}).encode())


def chunk(value):
    """What InvokeModel wraps around a model's own event."""
    return event("chunk", {"bytes": base64.b64encode(dumps(value).encode()).decode()})
