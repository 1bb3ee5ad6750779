"""Clients that come all the time while a gateway comes or goes, and what one of them waits for.
SPDX-License-Identifier: MIT"""

import asyncio
import contextlib
import json
import threading
import time

from . import replies
from .replies import Say

QUESTION = {"model": "gpt-4", "messages": [{"role": "user", "content": "ping"}]}


def held(gate, keep=2):
    """An answer whose stream stops in its middle until the gate opens."""

    def answer(request):
        whole = replies.answer(request, Say(text="one two three four"))
        return whole.with_(pieces=[*whole.pieces[:keep], gate, *whole.pieces[keep:]])

    return answer


class Background(threading.Thread):
    """Calls something; result() is what it returned."""

    def __init__(self, call):
        super().__init__(daemon=True)
        self.call = call
        self.got = None
        self.start()

    def run(self):
        try:
            self.got = self.call()
        except OSError as e:
            self.got = e

    def result(self, seconds=10):
        self.join(seconds)
        assert not self.is_alive(), "it still waits"
        return self.got


class Load:
    """Clients that come all the time: short requests and streams, each on a connection of its own, or kept alive."""

    def __init__(self, port, clients=12, may_be_refused=False):
        self.port = port
        self.whole = 0
        self.refused = 0
        self.faults = []
        self.may_be_refused = may_be_refused
        self.ending = False
        self.thread = threading.Thread(target=lambda: asyncio.run(self._all(clients)), daemon=True)

    def __enter__(self):
        self.thread.start()
        while self.whole < 20 and not self.faults:
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.ending = True
        self.thread.join(30)
        assert not self.thread.is_alive(), "an answer never came"

    async def _all(self, clients):
        await asyncio.gather(*(self._client(i) for i in range(clients)))

    async def _client(self, number):
        while not self.ending:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError as e:
                self.refused += 1
                if not self.may_be_refused:
                    self.faults.append(f"refused: {e}")
                await asyncio.sleep(0.02)
                continue
            try:
                for _ in range(number % 4 + 1):  # some use their connection again
                    if not await self._ask(reader, writer, number % 2 == 1):
                        break
            except (OSError, EOFError, asyncio.IncompleteReadError, ValueError) as e:
                self.faults.append(f"cut: {e!r}")
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _ask(self, reader, writer, stream):
        body = json.dumps(QUESTION | {"stream": stream}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        if not lines.startswith("http/1.1 200"):
            raise ValueError(lines)
        if "transfer-encoding: chunked" in lines:
            text = b""
            while size := int((await reader.readline()).strip(), 16):
                text += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
            if not text.endswith(b"data: [DONE]\n\n"):
                raise ValueError(text)
        else:
            await reader.readexactly(int(lines.split("content-length: ")[1].split("\r")[0]))
        self.whole += 1
        return "connection: close" not in lines


def slow_enough(request):
    """Streams that last a moment, so that some are open at any time."""
    whole = replies.answer(request, Say(text="a b c d"))
    if request.json.get("stream"):
        return whole.with_(pieces=[(0.02, piece) for piece in whole.pieces])
    return whole


def goes_on(load, more=30):
    """Waits until that many more were answered, or something is wrong."""
    before = load.whole
    while load.whole < before + more and not load.faults:
        time.sleep(0.01)
