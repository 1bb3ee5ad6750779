"""Recorded traffic of real vendors (SLUICE_SHARED/corpus), as answers for the scripted upstream. Frozen: read only.
SPDX-License-Identifier: MIT
"""

import json
import os
import pathlib

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
    if exchange.get("response") is not None:
        return json.dumps(exchange["response"], ensure_ascii=False).encode()
    return (exchange.get("response_text") or "").encode()


def answer(exchange, piece=None):
    """The recorded answer, in the pieces in which it arrived where they are known, else in pieces of `piece` bytes."""
    body = body_of(exchange)
    kept = ("content-type", "retry-after")
    headers = [(n, v) for n, v in (exchange.get("response_headers") or {}).items() if n in kept]
    if not any(n == "content-type" for n, _ in headers):
        headers.append(
            ("content-type", "text/event-stream" if exchange.get("response_sse") is not None else "application/json")
        )
    sizes = exchange.get("chunk_sizes") or []
    if sum(sizes) != len(body):
        sizes = [piece] * (len(body) // piece + 1) if piece else [len(body)]
    pieces, at = [], 0
    for size in sizes:
        pieces.append(body[at : at + size])
        at += size
    streamed = exchange.get("response_sse") is not None
    return Answer(
        status=exchange["status"], headers=headers, framing="chunked" if streamed else "length", pieces=pieces
    )
