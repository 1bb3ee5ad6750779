#!/usr/bin/env python3
"""Chaos, bounded: many requests in flight over three backends, one of which is sick (and another one each ten seconds), one
of which is down for a while. Every request must be answered once; what that cost is printed beside a run without faults.

    tests/faults/chaos.py [--flight 1000] [--seconds 40] [--amid] [BINARY]

--amid also breaks streams in their middle: each of those must end in an error of its dialect. Only loopback addresses; it
stops by itself. SPDX-License-Identifier: MIT"""

import argparse
import asyncio
import collections
import dataclasses
import json
import os
import pathlib
import random
import resource
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

MODEL = "gpt-4o"
PIECES = 4  # of an answer
REFUSALS = ["500", "503", "429", "html", "reset", "close", "error in a 200", "empty stream"]


class Backend:
    """Speaks OpenAI's Chat, streamed; `sick` is the share of its calls that fail before the first token, `frail` the share
    that fails amid the stream."""

    def __init__(self, dice, pace):
        self.dice, self.pace = dice, pace
        self.sick = self.frail = 0.0
        self.server = None
        self.port = 0
        self.idle = set()
        self.served = collections.Counter()  # answers told to their end, by the request's number
        self.calls = self.faults = 0

    async def listen(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, backlog=2048)
        self.port = self.server.sockets[0].getsockname()[1]

    def down(self):
        """Nobody listens any more; what is under way goes on."""
        self.server.close()
        self.server = None
        for writer in self.idle:
            writer.close()
        self.idle.clear()

    async def serve(self, reader, writer):
        try:
            while True:
                self.idle.add(writer)
                head = await reader.readuntil(b"\r\n\r\n")
                self.idle.discard(writer)
                size = int(next(x for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")).split(b":")[1])
                body = json.loads(await reader.readexactly(size))
                if not await self.answer(writer, int(body["messages"][-1]["content"])):
                    break
                if self.server is None:
                    break
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, OSError):
            pass
        finally:
            self.idle.discard(writer)
            writer.close()

    async def answer(self, writer, number):
        self.calls += 1
        if self.dice.random() < self.sick:
            self.faults += 1
            return await self.refuse(writer, self.dice.choice(REFUSALS))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        breaks = self.dice.randrange(1, PIECES) if self.dice.random() < self.frail else None
        for i in range(PIECES):
            await asyncio.sleep(self.pace)
            if i == breaks:
                self.faults += 1
                await writer.drain()
                if self.dice.random() < 0.5:
                    writer.transport.abort()
                else:
                    writer.write(b"0\r\n\r\n")  # a clean end that is none
                return False
            delta = {"content": f"<{number}.{i}>"}
            self.say(writer, {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        self.say(writer, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
        await writer.drain()
        self.served[number] += 1
        return True

    @staticmethod
    def say(writer, more):
        event = b"data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "model": MODEL} | more).encode() + b"\n\n"
        writer.write(b"%x\r\n%s\r\n" % (len(event), event))

    async def refuse(self, writer, how):
        if how == "reset":
            writer.transport.abort()
            return False
        if how == "close":
            return False
        kind, status, body = b"application/json", how.encode(), b'{"error":{"message":"no","type":"server_error"}}'
        if how == "html":
            kind, status, body = b"text/html", b"502", b"<html>bad gateway</html>"
        if how == "error in a 200":
            status = b"200"
        if how == "empty stream":
            kind, status, body = b"text/event-stream", b"200", b""
        writer.write(b"HTTP/1.1 %s X\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (status, kind, len(body), body))
        await writer.drain()
        return True


@dataclasses.dataclass
class Tally:
    good: int = 0
    told: int = 0  # streams that broke and said so
    bad: list = dataclasses.field(default_factory=list)
    first_ms: list = dataclasses.field(default_factory=list)

    def at(self, share):
        times = sorted(self.first_ms)
        return times[min(len(times) - 1, int(len(times) * share))] if times else 0


async def client(port, numbers, end, tally):
    """One request after the other on a connection of its own."""
    reader = writer = None
    while time.monotonic() < end:
        number = next(numbers)
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            body = json.dumps({"model": MODEL, "stream": True, "messages": [{"role": "user", "content": str(number)}]}).encode()
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
            begin = time.monotonic()
            writer.write(head.encode() + body)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            tally.first_ms.append((time.monotonic() - begin) * 1000)
            whole, closed = await asyncio.wait_for(read_body(reader, head), 30)
        except (asyncio.TimeoutError, asyncio.IncompleteReadError, ConnectionError, OSError) as why:
            tally.bad.append(f"{number}: {type(why).__name__}")
            writer = None
            continue
        if closed:
            writer.close()
            writer = None
        judge(number, head, whole, closed, tally)
    if writer is not None:
        writer.close()


async def read_body(reader, head):
    """The body, and whether its framing broke off."""
    out = b""
    length = [x for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")]
    if length:
        return await reader.readexactly(int(length[0].split(b":")[1])), False
    while True:
        try:
            size = int(await reader.readuntil(b"\r\n"), 16)
            out += (await reader.readexactly(size + 2))[:-2]
        except asyncio.IncompleteReadError:
            return out, True
        if size == 0:
            return out, False


def judge(number, head, body, closed, tally):
    events = [e[6:] for e in body.decode().split("\n\n") if e.startswith("data: ")]
    words = "".join(c["delta"].get("content", "") for e in events if e.startswith('{"id"') for c in json.loads(e)["choices"])
    told = "".join(f"<{number}.{i}>" for i in range(PIECES))
    if head.startswith(b"HTTP/1.1 200") and words == told and events[-1] == "[DONE]" and not closed:
        tally.good += 1
    elif head.startswith(b"HTTP/1.1 200") and told.startswith(words) and closed and '"error"' in events[-1]:
        tally.told += 1
    else:
        tally.bad.append(f"{number}: {head[:60]!r} … {body[-120:]!r}")


async def run(binary, folder, flight, seconds, sick, frail, seed):
    dice = random.Random(seed)
    backends = [Backend(dice, 0.2) for _ in range(3)]
    for one in backends:
        await one.listen()
    config = {
        "backends": {
            f"b{i}": {"type": "openai", "base_url": f"http://127.0.0.1:{one.port}/v1", "api_key": "k", "models": [MODEL]}
            for i, one in enumerate(backends)
        },
        "routes": [
            {"model": MODEL, "try": [{"balance": "round_robin", "over": [{"backend": f"b{i}"} for i in range(3)]}]}
        ],
        "monitoring": {"log_file": str(folder / "requests.log"), "log_format": "json"},
    }
    from harness.gateway import Gateway

    gateway = Gateway(folder, config | {"failover": {"attempts": 3}})
    tally = Tally()
    counter = iter(range(1, 10**9))
    begin = time.monotonic()
    end = begin + seconds
    before = (gateway.descriptors(), gateway.resident_kib())

    async def weather():
        turn = 0
        while time.monotonic() < end:
            for one in backends:
                one.sick, one.frail = 0.0, frail
            backends[turn % 3].sick = sick
            # In the second turn of each three, the one after the sick one is down.
            gone = backends[(turn + 1) % 3] if sick and turn % 3 == 1 else None
            if gone:
                gone.down()
            await asyncio.sleep(min(10, seconds / 3))
            if gone:
                await gone.listen()
            turn += 1

    changing = asyncio.create_task(weather())
    await asyncio.gather(*(client(gateway.port, counter, end, tally) for _ in range(flight)))
    changing.cancel()
    await asyncio.sleep(1)
    after = (gateway.descriptors(), gateway.resident_kib())
    calls, faults = sum(b.calls for b in backends), sum(b.faults for b in backends)
    twice = sum(1 for n, k in sum((b.served for b in backends), collections.Counter()).items() if k > 1)
    gateway.stop()
    for one in backends:
        if one.server:
            one.server.close()
    rows = [json.loads(line) for line in (folder / "requests.log").read_text().splitlines()]
    rows = [row for row in rows if row.get("operation") == "chat"]
    return {
        "tally": tally,
        "calls": calls,
        "faults": faults,
        "twice": twice,
        "rows": len(rows),
        "failed": [row for row in rows if "fault" in row and not row["fault"] == "client_gone" and row["status"] != 200],
        "descriptors": after[0] - before[0],
        "grown_kib": after[1] - before[1],
    }


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("binary", nargs="?")
    words.add_argument("--flight", type=int, default=1000)
    words.add_argument("--seconds", type=float, default=40)
    words.add_argument("--amid", action="store_true")
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    if asked.binary:
        os.environ["SLUICE_BINARY"] = str(pathlib.Path(asked.binary).resolve())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    failed = False
    plans = [("without faults", 0.0, 0.0), ("20 % of one backend, one down", 0.2, 0.0)]
    if asked.amid:
        plans.append(("and 5 % of all streams broken", 0.2, 0.05))
    print(f"{'run':32} {'requests':>8} {'good':>7} {'told':>5} {'bad':>4} {'faults':>6} {'calls':>7} {'p50 ms':>7} {'p99 ms':>7} {'max ms':>7}")
    for name, sick, frail in plans:
        with tempfile.TemporaryDirectory() as folder:
            out = asyncio.run(
                run(None, pathlib.Path(folder), asked.flight, asked.seconds, sick, frail, asked.seed)
            )
        t = out["tally"]
        asked_for = t.good + t.told + len(t.bad)
        print(
            f"{name:32} {asked_for:>8} {t.good:>7} {t.told:>5} {len(t.bad):>4} {out['faults']:>6} {out['calls']:>7} "
            f"{t.at(0.5):>7.0f} {t.at(0.99):>7.0f} {t.at(1):>7.0f}"
        )
        print(f"    answered twice {out['twice']}, log rows {out['rows']}, descriptors {out['descriptors']:+}, memory {out['grown_kib']:+} KiB")
        for one in t.bad[:3]:
            print("    ", one)
        for row in out["failed"][:5]:
            tried = [f"{a['backend']} {a.get('fault')} {a.get('detail', '')[:40]!r} {a['started_ms']}" for a in row.get("attempts", [])]
            print("    ", row["ts"], row["fault"], row["total_ms"], *tried)
        failed |= bool(t.bad) or out["twice"] > 0 or (t.told > 0 and not frail) or out["rows"] != asked_for
    return failed


if __name__ == "__main__":
    sys.exit(main())
