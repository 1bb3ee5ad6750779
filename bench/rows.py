"""The table of bars: which work is measured, how the load client is called for it, and what the bar is.

A row's value is one number per proxy; the bar is on the ratio to nginx or on the gateway's value itself.
SPDX-License-Identifier: MIT
"""

from dataclasses import dataclass, field

HOLD_STREAMS = 5000


@dataclass(frozen=True)
class Row:
    key: str
    title: str
    unit: str
    bar: float | None  # None: shown, not judged
    goal: float | None = None
    ratio: bool = True  # the bar is on the ratio to nginx, else on the gateway's own value
    digits: int = 1


@dataclass(frozen=True)
class Work:
    """CPU per request or event under load. Where the gateway translates, nginx is asked in the upstream's own dialect:
    it moves the same upstream bytes and translates nothing."""

    row: Row
    options: list  # for both
    nginx: list = field(default_factory=list)  # more options for one of them
    sluice: list = field(default_factory=list)
    value: str = "cpu_us"
    stream: bool = False
    extra: bool = False  # only with --all
    pair: bool = False  # of the square of dialects: with --pairs and --all
    long: bool = False

    @property
    def counted(self):
        """Requests of the two runs under callgrind."""
        return (2, 12) if self.stream or self.long else (50, 450)


PACED = ["--stream", "--conns", 300, "--warmup", 1.0]

WORKS = [
    Work(Row("whole_1k", "whole reply, same dialect, 1 KB", "CPU us/request", 1.0, 0.8), ["--model", "mock"]),
    Work(Row("whole_50k", "whole reply, same dialect, 50 KB", "CPU us/request", 1.2, 1.0), ["--model", "mock", "--body", 51200]),
    Work(
        Row("stream", "stream, same dialect, 60 events 5 ms apart", "CPU us/event", 1.0, 0.85, digits=2),
        [*PACED, "--model", "mock-c60-d5"], value="cpu_us_event", stream=True,
    ),
    Work(
        Row("stream_anthropic", "the same stream, Anthropic -> OpenAI client", "CPU us/event", 1.5, 1.2, digits=2),
        [*PACED, "--model", "claude-mock-c60-d5"], nginx=["--dialect", "anthropic"], value="cpu_us_event", stream=True,
    ),
    Work(
        Row("whole_anthropic", "whole, OpenAI client -> Anthropic, 1 KB", "CPU us/request", 1.6, 1.2),
        ["--model", "claude-mock"], nginx=["--dialect", "anthropic"],
    ),
    Work(
        Row("whole_gemini", "whole, OpenAI client -> Gemini, 1 KB", "CPU us/request", None),
        ["--model", "gemini-mock"], nginx=["--dialect", "gemini"], extra=True,
    ),
    Work(
        Row("stream_gemini", "stream, Gemini -> OpenAI client", "CPU us/event", None, digits=2),
        [*PACED, "--model", "gemini-mock-c60-d5"], nginx=["--dialect", "gemini"], value="cpu_us_event", stream=True, extra=True,
    ),
    Work(
        Row("whole_sdk", "whole, 1 KB, headers of openai-python", "CPU us/request", None),
        ["--model", "mock", "--sdk-headers"], extra=True,
    ),
    Work(
        Row("stream_no_usage", "stream, usage asked by the gateway alone", "CPU us/event", None, digits=2),
        [*PACED, "--model", "mock-c60-d5", "--no-usage"], value="cpu_us_event", stream=True, extra=True,
    ),
    Work(
        Row("stream_fast", "stream, same dialect, 60 events at once", "CPU us/event", None, digits=2),
        ["--stream", "--model", "mock-c60"], value="cpu_us_event", stream=True, extra=True,
    ),
    Work(
        Row("latency_p99", "latency p99 at 4,000 requests/s, 1 KB", "us", None, digits=0),
        ["--model", "mock", "--rate", 4000, "--conns", 64], value="p99", extra=True,
    ),
]

# The square: a client of each dialect, an upstream of each. One line per dialect, as in manners.h: its name, a short one,
# and a model of it. nginx moves the upstream's bytes.
DIALECTS = [
    ("openai_chat", "chat", "mock"),
    ("openai_responses", "responses", "responses-mock"),
    ("anthropic", "anthropic", "claude-mock"),
    ("gemini", "gemini", "gemini-mock"),
    ("cohere", "cohere", "command-mock"),
    ("bedrock_converse", "bedrock", "bedrock-mock"),
]
PAIR_WORST, PAIR_MEDIAN, PAIR_GOAL = 2.0, 1.6, 1.3


def across(kind, title, client, upstream, bar, goal=None, options=()):
    return Work(
        Row(f"{kind}_{client[1]}_{upstream[1]}", f"{client[1]} -> {upstream[1]}, {title}", "CPU us/request", bar, goal),
        ["--model", upstream[2], *options],
        nginx=["--dialect", upstream[0]], sluice=["--dialect", client[0]], pair=True, long=kind == "long",
    )


WORKS += [across("pair", "1 KB", a, b, PAIR_WORST, PAIR_GOAL) for a in DIALECTS for b in DIALECTS]

# A long conversation: 1 MB in 200 turns with 50 tool calls, where the text outweighs everything else.
LONG = ["chat -> chat", "chat -> anthropic", "anthropic -> chat", "responses -> anthropic"]
WORKS += [
    across("long", "1 MB, 50 tool calls", a, b, 4.0, options=["--body", 1_000_000, "--calls", 50, "--conns", 4])
    for a in DIALECTS for b in DIALECTS if f"{a[1]} -> {b[1]}" in LONG
]

PLAIN = [
    Row("stream_kib", f"{HOLD_STREAMS:,} open slow streams, beyond idle", "KiB/stream", 8, 4, ratio=False, digits=2),
    Row("idle_mib", "idle, resident", "MiB", 15, 8, ratio=False, digits=1),
    Row("start_ms", "start to first answer", "ms", 100, 30, ratio=False, digits=1),
    Row("left_whole_ms", "upstream notices that the client left, whole", "ms", 100, ratio=False, digits=1),
    Row("left_stream_ms", "upstream notices that the client left, streamed", "ms", 100, ratio=False, digits=1),
]
