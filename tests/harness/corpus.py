"""Recorded traffic of real vendors (SLUICE_SHARED/corpus), as answers for the scripted upstream. Frozen: read only.
SPDX-License-Identifier: MIT
"""

import base64
import json
import os
import pathlib

from . import aws_frames
from .upstream import Answer

_shared = os.environ.get("SLUICE_SHARED")
ROOT = pathlib.Path(_shared) / "corpus" if _shared else None


def available():
    return ROOT is not None and (ROOT / "index.jsonl").exists()


def exchanges(api, wanted=lambda row: True):
    """Index rows of one api in a fixed order."""
    if not available():
        return []
    rows = [json.loads(line) for line in (ROOT / "index.jsonl").read_text().splitlines()]
    return sorted((r for r in rows if r["api"] == api and wanted(r)), key=lambda r: r["file"])


def load(row):
    return json.loads((ROOT / row["file"]).read_text())


def body_of(exchange):
    """The answer's body as bytes. JSON bodies were stored parsed: white space is ours."""
    if exchange.get("response_sse") is not None:
        return exchange["response_sse"].encode()
    if exchange.get("response_b64"):
        return base64.b64decode(exchange["response_b64"])
    if exchange.get("response_events"):
        return b"".join(aws_frames.event(*next(iter(e.items()))) for e in exchange["response_events"])
    if exchange.get("response") is not None:
        return json.dumps(exchange["response"], ensure_ascii=False).encode()
    return (exchange.get("response_text") or "").encode()


def answer(exchange, piece=None):
    """The recorded answer, in the pieces in which it arrived where they are known, else in pieces of `piece` bytes."""
    body = body_of(exchange)
    kept = ("content-type", "retry-after", "x-amzn-errortype")
    headers = [(n, v) for n, v in (exchange.get("response_headers") or {}).items() if n in kept]
    if not any(n == "content-type" for n, _ in headers):
        events = exchange.get("response_events") is not None
        binary = "application/vnd.amazon.eventstream" if events else "application/json"
        headers.append(("content-type", "text/event-stream" if exchange.get("response_sse") is not None else binary))
    sizes = exchange.get("chunk_sizes") or []
    if sum(sizes) != len(body):
        sizes = [piece] * (len(body) // piece + 1) if piece else [len(body)]
    pieces, at = [], 0
    for size in sizes:
        pieces.append(body[at : at + size])
        at += size
    streamed = any(exchange.get(name) for name in ("response_sse", "response_events"))
    return Answer(
        status=exchange["status"], headers=headers, framing="chunked" if streamed else "length", pieces=pieces
    )
