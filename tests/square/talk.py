"""What is asked through an SDK and what is heard of it, in no vendor's words. SPDX-License-Identifier: MIT"""

import base64
import dataclasses
import pathlib

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"


def in_base64(name):
    return base64.b64encode((FIXTURES / name).read_bytes()).decode()


@dataclasses.dataclass(frozen=True)
class Tool:
    name: str
    description: str
    schema: dict


@dataclasses.dataclass
class Ask:
    text: str = "Weather in Zürich? 🌤"
    system: str = ""
    before: tuple = ()  # ((role, text), …): earlier turns
    tools: tuple = ()
    forced: bool = False  # a tool must be called
    picture: str = ""  # a PNG in base64
    document: str = ""  # a PDF in base64, for clients that can send one
    notes: str = ""  # a document of plain text, for the others
    effort: str = ""
    schema: dict | None = None  # of the answer
    most: int = 4000  # tokens of the answer
    past: tuple = ()  # ((turn as the client keeps it, ((call, result), …)), …): the loop so far
    stream: bool = False


@dataclasses.dataclass(frozen=True)
class Called:
    name: str
    arguments: dict
    id: str


@dataclasses.dataclass
class Got:
    text: str = ""
    thinking: str = ""
    calls: list = dataclasses.field(default_factory=list)
    stop: str = ""  # end, tools, length, filter, as far as the client's dialect tells them apart
    usage: dict = dataclasses.field(default_factory=dict)  # input and output in all, cached and reasoning of them
    pieces: int = 0  # of text, in a stream
    turn: object = None  # what a stock client puts into its history
    headers: dict = dataclasses.field(default_factory=dict)
    error: dict | None = None  # class, status, message
