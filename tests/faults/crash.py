"""Kills a gateway at random moments under many streams and whole answers of all dialects at once, and looks what its
ledger has kept: every request that was answered once and as it was told, every other one as crashed, with at most a
second of its tokens missing.

    python3 faults/crash.py [--rounds 50] [--clients 500]

It ends by itself, and prints how many were answered and stand in how many rows, what was lost, twice or wrong, how many
calls are crashed, and of how many seconds tokens are missing at most. 1: something was lost, twice, wrong or late.

SPDX-License-Identifier: MIT"""

import argparse
import asyncio
import collections
import json
import pathlib
import random
import resource
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import ledger  # noqa: E402
from harness.gateway import Gateway, backends  # noqa: E402

TOKENS_PER_SECOND = 20
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "ping"}]}
WAYS = [
    ("/v1/chat/completions", CHAT),
    ("/v1/chat/completions", CHAT | {"stream": True}),
    ("/v1/chat/completions", CHAT | {"stream": True, "model": "claude-sonnet-4-5"}),
    ("/v1/messages", {"model": "claude-sonnet-4-5", "max_tokens": 99, "messages": CHAT["messages"], "stream": True}),
    ("/v1/messages", {"model": "gpt-4o", "max_tokens": 99, "messages": CHAT["messages"], "stream": True}),
]


class Vendor:
    """Answers in both dialects, a token at a time; asyncio, for there are hundreds."""

    def __init__(self, rnd):
        self.random = rnd
        self.port = None

    async def start(self):
        server = await asyncio.start_server(self._client, "127.0.0.1", 0, backlog=4096)
        self.port = server.sockets[0].getsockname()[1]
        return server

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}{path}"

    async def _client(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                size = int(head.split("content-length: ")[1].split("\r")[0])
                body = json.loads(await reader.readexactly(size))
                await self._answer(writer, "/messages" in head.split("\r\n", 1)[0], body)
        except (OSError, EOFError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, writer, anthropic, body):
        tokens = self.random.randint(1, 60)
        if not body.get("stream"):
            await asyncio.sleep(self.random.random() * 0.3)
            answer = json.dumps(self._whole(anthropic, tokens)).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer))
            writer.write(answer)
            return await writer.drain()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for event in self._events(anthropic, tokens):
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
            await asyncio.sleep(1 / TOKENS_PER_SECOND)
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    @staticmethod
    def _whole(anthropic, tokens):
        text = "word " * tokens
        if anthropic:
            usage = {"input_tokens": 10, "output_tokens": tokens}
            return {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
                    "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": None,
                    "usage": usage}  # fmt: skip
        usage = {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": 10 + tokens}
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return {"id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice], "usage": usage}

    @staticmethod
    def _events(anthropic, tokens):
        def named(kind, **more):
            return f"event: {kind}\ndata: {json.dumps({'type': kind} | more)}\n\n".encode()

        def chunk(delta, finish=None, **more):
            choices = [{"index": 0, "delta": delta, "finish_reason": finish}] if delta is not None else []
            head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o", "choices": choices}
            return f"data: {json.dumps(head | more)}\n\n".encode()

        if anthropic:
            message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [],
                       "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 1}}  # fmt: skip
            yield named("message_start", message=message)
            yield named("content_block_start", index=0, content_block={"type": "text", "text": ""})
            for _ in range(tokens):
                yield named("content_block_delta", index=0, delta={"type": "text_delta", "text": "word"})
            yield named("content_block_stop", index=0)
            delta = {"stop_reason": "end_turn", "stop_sequence": None}
            yield named("message_delta", delta=delta, usage={"output_tokens": tokens})
            yield named("message_stop")
            return
        yield chunk({"role": "assistant", "content": ""})
        for _ in range(tokens):
            yield chunk({"content": "word"})
        yield chunk({}, "stop")
        yield chunk(None, usage={"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": 10 + tokens})
        yield b"data: [DONE]\n\n"


class Seen:
    """What the clients were told."""

    def __init__(self):
        self.answered = {}  # id -> words of output
        self.begun = {}  # id -> [times at which a word came]


async def client(port, seen, rnd, until):
    while time.monotonic() < until:
        path, body = rnd.choice(WAYS)
        payload = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(payload)}\r\nConnection: close\r\n\r\n"
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        try:
            writer.write(head.encode() + payload)
            lines = (await reader.readuntil(b"\r\n\r\n")).decode()
            if " 200 " not in lines.split("\r\n", 1)[0]:
                raise AssertionError(lines)
            id_ = next(line.split(": ")[1] for line in lines.split("\r\n") if line.lower().startswith(("x-request-id:", "request-id:")))
            if "chunked" in lines.lower():
                text = b""
                times = seen.begun[id_] = []
                while size := int((await reader.readline()).strip(), 16):
                    piece = (await reader.readexactly(size + 2))[:-2]
                    times += [time.monotonic()] * piece.count(b'"word"')
                    text += piece
                await reader.readline()
                if b"[DONE]" in text or b"message_stop" in text:
                    seen.answered[id_] = text.count(b'"word"')
                del seen.begun[id_]
            else:
                size = int(lines.lower().split("content-length: ")[1].split("\r")[0])
                seen.answered[id_] = (await reader.readexactly(size)).count(b"word ")
        except (OSError, EOFError, ValueError, asyncio.IncompleteReadError):
            return  # it was killed
        finally:
            writer.close()


async def one_round(folder, vendor, seen, rnd, clients, seconds, number):
    settings = {"backends": backends(vendor), "ledger": {"path": str(folder / "ledger")}, "monitoring": {"log_level": "ERROR"}}
    gateway = await asyncio.to_thread(Gateway, folder / f"round{number}", settings)
    until = time.monotonic() + 3600
    running = [asyncio.create_task(client(gateway.port, seen, rnd, until)) for _ in range(clients)]
    await asyncio.sleep(seconds * (0.5 + rnd.random()))
    killed = time.monotonic()
    gateway.process.send_signal(signal.SIGKILL)
    await asyncio.gather(*running)
    await asyncio.to_thread(gateway.process.wait)
    return killed


def judge(folder, seen, killed):
    found = ledger.rows(folder)
    told = {"answered": len(seen.answered), "open": len(seen.begun), "rows": len(found), "crashed": 0,
            "seconds_missing": 0.0, "lost": [], "twice": [], "wrong": [], "late": []}  # fmt: skip
    names = collections.Counter((r["id"], r["attempt"]) for r in found)
    told["twice"] = [name for name, count in names.items() if count > 1]
    by_id = collections.defaultdict(dict)
    for row in found:
        by_id[row["id"]][row["attempt"]] = row
    for id_, words in seen.answered.items():
        own = by_id.get(id_, {})
        if set(own) != {0, 1}:
            told["lost"].append(id_)
        elif own[0]["state"] != "complete" or own[1]["output"] != words or own[1]["input"] != 10:
            told["wrong"].append((id_, words, own[1]))
    for id_, times in seen.begun.items():
        own = by_id.get(id_, {})
        if set(own) != {0, 1}:
            told["lost"].append(id_)
            continue
        row = own[1]
        if row["state"] != "crashed":
            continue
        told["crashed"] += 1
        # What came before the last second is in the last checkpoint.
        kept = max(row["estimated_output"] or 0, row["output"] or 0)
        missing = killed[id_] - times[kept] if kept < len(times) else 0.0
        told["seconds_missing"] = max(told["seconds_missing"], round(missing, 3))
        if missing > 1.05:
            told["late"].append((id_, len(times), kept))
    sums = command_sums(folder)
    told["sums"] = sums == (sum(r["attempt"] == 0 for r in found), sum(r["nano_dollars"] for r in found))
    told["states"] = dict(collections.Counter(r["state"] for r in found if r["attempt"] > 0))
    return told


def command_sums(folder):
    import sqlite3

    with sqlite3.connect(folder / "ledger" / "ledger.db", timeout=10) as db:
        return tuple(db.execute("SELECT sum(requests), sum(nano_dollars) FROM sums_day WHERE kind = 0").fetchone())


def run(folder, rounds, clients, seconds, seed):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # both ends of every connection are here
    rnd = random.Random(seed)
    seen, killed = Seen(), {}

    async def all_rounds():
        vendor = Vendor(rnd)
        server = await vendor.start()
        for number in range(rounds):
            when = await one_round(folder, vendor, seen, rnd, clients, seconds, number)
            for id_ in seen.begun:
                killed.setdefault(id_, when)
        # The last one only takes over what was left.
        settings = {"backends": backends(vendor), "ledger": {"path": str(folder / "ledger")}}
        last = await asyncio.to_thread(Gateway, folder / "last", settings)
        wanted = {*seen.answered, *seen.begun}

        def there():
            end = time.monotonic() + 120
            while not wanted <= ledger.exchanges(folder) and time.monotonic() < end:
                time.sleep(0.2)

        await asyncio.to_thread(there)  # judge() says which are missing
        await asyncio.to_thread(last.stop)
        server.close()

    asyncio.run(all_rounds())
    return judge(folder, seen, killed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=3.0, help="of a round, on average")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = run(pathlib.Path(folder), chosen.rounds, chosen.clients, chosen.seconds, chosen.seed)
    for name in ("lost", "twice", "wrong", "late"):
        for one in told[name][:5]:
            print(name, one)
    print(json.dumps(told | {name: len(told[name]) for name in ("lost", "twice", "wrong", "late")}, indent=1))
    return 1 if told["lost"] or told["twice"] or told["wrong"] or told["late"] or not told["sums"] else 0


if __name__ == "__main__":
    sys.exit(main())
