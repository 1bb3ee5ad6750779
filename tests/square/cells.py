"""The cells of the square: what is asked, what the vendor must have been asked, what the client must have got. A cell
either finds all of it, or a Note that names what did not cross; it fails when something is missing without one.
SPDX-License-Identifier: MIT
"""

import base64
import dataclasses
import json
import re
import uuid

from harness import asked, replies
from harness.replies import Call, Say, dumps
from harness.upstream import Gate

from .talk import Ask, Tool, in_base64

TEXT = 'Zürich liegt am See. 苏黎世 👩🏽‍🚀 "quoted" \\ and\nnew lines\tand tabs.'
PLACE = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
WEATHER = Tool("weather", "Tells the weather", PLACE)
CLOCK = Tool("clock", "Tells the time", {"type": "object", "properties": {}})
CITY = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "rivers": {"type": "array", "items": {"type": "string"}}},
    "required": ["name", "rivers"],
    "additionalProperties": False,
}
SIGNATURE = "RXZlcnkgdGhvdWdodCBpcyBzaWduZWQ/Pz8+Pj4="  # what base64 of both alphabets spells differently
NOTES_TEXT = "The lighthouse was lit in 1811."


class Cell:
    """One try of one cell: a pair, a language, whole or streamed."""

    def __init__(self, client, vendor, upstream, journal, streams):
        self.client, self.vendor, self.upstream, self.journal, self.streams = client, vendor, upstream, journal, streams
        self.notes = []  # of the gateway, about this try
        self.missing = []  # what did not cross and has its Note

    # -- steps

    def ask(self, ask, say=None, model=""):
        """One exchange. What the client got; the Notes are kept."""
        if say is not None:
            self.upstream.say(say)
        ask = dataclasses.replace(ask, stream=self.streams)
        got = self.client.ask(model or self.vendor.model, ask)
        row = self.journal.next()
        notes = row.get("notes", [])
        self.notes += notes
        if got.headers and not self.streams:
            assert bool(notes) == ("x-sluice-notes" in got.headers), (notes, got.headers)
        return got

    def talk(self, ask, say, model=""):
        got = self.ask(ask, say, model)
        assert got.error is None, got.error
        return got

    def seen(self):
        return self.upstream.last()

    # -- what must be true

    def crossed(self, what, found, wanted, words=""):
        """`found` is what was wanted, or a Note whose pointer or reason has one of `words` says why not."""
        if found == wanted:
            return True
        losses = [n for n in self.notes if n["kind"] in ("lost", "restated")]
        told = [n for n in losses if re.search(words or what, n.get("at", "") + " " + n["why"])]
        assert told, f"{what}: {found!r} instead of {wanted!r}, and no Note tells it: {self.notes}"
        self.missing.append(what)
        return False


# -- the cells


def text(cell):
    """System text, earlier turns, a limit; Unicode on both sides."""
    before = (("user", "Which colour?"), ("assistant", "Red. 🔴"))
    got = cell.talk(Ask("Wo liegt Zürich? 🗺", system="Be brief.", before=before, most=321), Say(text=TEXT))
    assert (got.text, got.stop) == (TEXT, "end")
    assert asked.said(cell.seen()) == [("system", "Be brief."), *before, ("user", "Wo liegt Zürich? 🗺")]
    assert asked.sampling(cell.seen())["most"] == 321


def stream(cell):
    got = cell.talk(Ask(), Say(text=TEXT))
    assert (got.text, got.stop) == (TEXT, "end") and got.pieces > 5
    assert cell.seen().streams


def tools(cell):
    """One call that is asked for."""
    call = Call("weather", {"city": "Zürich", "days": 3})
    got = cell.talk(Ask(tools=(WEATHER, CLOCK), forced=True), Say(calls=[call]))
    assert [(c.name, c.arguments) for c in got.calls] == [(call.name, call.arguments)]
    assert got.stop == "tools" and not got.text and (got.calls[0].id or cell.client.name == cell.vendor.name)
    declared = asked.tools(cell.seen())
    assert list(declared) == ["weather", "clock"] and declared["weather"] == PLACE
    cell.crossed("tool choice", asked.tool_choice(cell.seen()), "any", "tool_choice|toolConfig")


CALLS = [
    Call("weather", {"city": "Zürich", "days": 1}),
    Call("weather", {"city": "Genève", "days": 2}),
    Call("clock", {}),
]
RESULTS = ("sunny, 24°", "rain, 19°", "noon")


def parallel_tools(cell):
    """Three calls at once behind a text, and their results."""
    ask = Ask(tools=(WEATHER, CLOCK))
    signed = dataclasses.replace(CALLS[0], signature=SIGNATURE if cell.vendor.proof == "call" else "")
    first = cell.talk(ask, Say(text="Let me look.", calls=[signed, *CALLS[1:]]))
    assert [(c.name, c.arguments) for c in first.calls] == [(c.name, c.arguments) for c in CALLS]
    assert first.text == "Let me look." and first.stop == "tools"
    past = ((first.turn, tuple(zip(first.calls, RESULTS, strict=True))),)
    second = cell.talk(dataclasses.replace(ask, past=past), Say(text="Sunny at noon."))
    assert second.text == "Sunny at noon."
    assert [c[1:] for c in asked.items(cell.seen(), "call")] == [(c.name, c.arguments) for c in CALLS]
    told = [result_of(text) for _, _, text in asked.items(cell.seen(), "result")]
    assert told == list(RESULTS)
    spoken = "".join(t for role, t in asked.said(cell.seen()) if role == "assistant")
    assert spoken == "Let me look."


def result_of(text):
    """Results are objects in some dialects, texts in others."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value["output"] if isinstance(value, dict) and list(value) == ["output"] else value


def tool_loop(cell):
    """The vendor signs what it thought and calls three tools at once, the client keeps what its README keeps, and the
    vendor sees its proof again."""
    thought = cell.vendor.proof == "thought"
    named = cell.vendor.proof != "call"
    calls = [dataclasses.replace(call, id="call_" + uuid.uuid4().hex[:20] if named else "") for call in CALLS]
    say = Say(calls=calls)
    if thought:
        say = Say(thinking="I need the weather. First of Bern.", signature=SIGNATURE, calls=calls)
    elif cell.vendor.proof == "call":
        calls[0].signature = SIGNATURE
    ask = Ask(tools=(WEATHER, CLOCK), effort="high" if thought else "")
    first = cell.talk(ask, say, cell.vendor.thinking_model())
    assert [(c.name, c.arguments) for c in first.calls] == [(c.name, c.arguments) for c in calls]
    past = ((first.turn, tuple(zip(first.calls, RESULTS, strict=True))),)
    second = cell.talk(dataclasses.replace(ask, past=past), Say(text="Snow."), cell.vendor.thinking_model())
    assert second.text == "Snow."
    assert [c[1:] for c in asked.items(cell.seen(), "call")] == [(c.name, c.arguments) for c in calls]
    assert [result_of(text) for _, _, text in asked.items(cell.seen(), "result")] == list(RESULTS)
    if cell.vendor.proof:
        cell.crossed("signature", proofs(cell.seen()), [SIGNATURE], "proof|signature|encrypted|reasoning")
    if thought:
        found = [i[1] for i in asked.items(cell.seen(), "thinking")]
        cell.crossed("thought", found, ["I need the weather. First of Bern."], "proof|signature|reasoning|thought")


def proofs(request):
    """Every proof in a request, in the standard alphabet."""
    if request.dialect == "gemini":
        parts = [part for turn in request.json["contents"] for part in turn["parts"]]
        found = [part["thoughtSignature"] for part in parts if "thoughtSignature" in part]
    else:
        found = [item[2] for item in asked.items(request, "thinking") if item[2]]
    return [proof.replace("-", "+").replace("_", "/") for proof in found]


def image(cell):
    data = in_base64("square.png")
    got = cell.talk(Ask("What is this?", picture=data), Say(text="A square."))
    assert got.text == "A square." and asked.said(cell.seen())[-1] == ("user", "What is this?")
    found = [(mime, standard(sent)) for _, mime, sent in asked.items(cell.seen(), "image")]
    cell.crossed("image", found, [("image/png", data)])


def document(cell):
    """A PDF; of clients that have no words for one, a text."""
    pdf = cell.client.sends_pdf
    data = in_base64("page.pdf")
    ask = Ask("What does it say?", document=data) if pdf else Ask("When was it lit?", notes=NOTES_TEXT)
    if pdf and cell.vendor.name == "cohere":
        # Cohere has no place for it, and the question would lose its meaning.
        got = cell.ask(ask)
        assert got.error and got.error["status"] == 400, got
        why = re.search(r"Cohere takes documents as plain text[^\"']*?\.", got.error["message"])
        cell.missing.append("refused: " + why[0])
        return
    got = cell.talk(ask, Say(text="42"))
    assert got.text == "42"
    if pdf:
        found = [(mime, standard(sent)) for _, mime, sent in asked.items(cell.seen(), "file")]
        cell.crossed("document", found, [("application/pdf", data)])
    else:
        sent = cell.seen().body.decode()
        assert NOTES_TEXT in sent or base64.b64encode(NOTES_TEXT.encode()).decode() in sent, sent


def standard(data):
    return (data or "").replace("-", "+").replace("_", "/")


def thinking(cell):
    """Effort is asked for in the vendor's words; thoughts come beside the text, never inside it."""
    thought = "First I count. Then I add." if cell.vendor.thinks else ""
    signature = SIGNATURE if cell.vendor.proof == "thought" else ""
    say = Say(text="7", thinking=thought, signature=signature, reasoning=20)
    got = cell.talk(Ask("3 + 4?", effort="high"), say, cell.vendor.thinking_model())
    assert got.text == "7"
    effort = asked.reasoning(cell.seen())
    cell.crossed("effort", bool(effort), True, "effort|thinking|reasoning")
    cell.crossed("thought", got.thinking, thought, "thought|thinking|reasoning")


def structured_output(cell):
    city = {"name": "Bern", "rivers": ["Aare"]}
    got = cell.talk(Ask("Where is the parliament? Say it in JSON.", schema=CITY), Say(text=dumps(city)))
    assert json.loads(got.text) == city and got.stop == "end"
    wanted = asked.schema(cell.seen())
    if cell.crossed("schema", wanted is not None, True, "format|schema"):
        assert set(wanted["properties"]) == set(city) and wanted["required"] == CITY["required"], wanted


def usage(cell):
    say = Say(text="counted", input=100, cached=40, output=30, reasoning=12)
    got = cell.talk(Ask(), say, cell.vendor.thinking_model())
    assert (got.usage["input"], got.usage["output"]) == (140, 42), got.usage
    wanted = {"cached": 40} | ({"reasoning": 12} if cell.vendor.counts_thoughts else {})
    for name, count in wanted.items():
        if name not in cell.client.words.CANNOT:
            cell.crossed(name, got.usage[name] or 0, count, "usage")


def stop_reason(cell):
    """Cut at the limit, and by the vendor's filter."""
    got = cell.talk(Ask(), Say(text="cut sho", stop="length"))
    assert (got.text, got.stop) == ("cut sho", "length")
    if cell.vendor.name != "cohere":  # has no filter to stop at
        got = cell.talk(Ask(), Say(text="cut sho", stop="filter"))
        assert got.text == "cut sho" and got.stop != "length"
        cell.crossed("filter", got.stop, "filter", "finish|stop|end")


def vendor_error(cell):
    """A refusal, a limit, a stream that breaks in the middle: each an error of the SDK, with the vendor's words."""
    cell.upstream.answer(replies.error(cell.vendor.name, 400, "tools: this makes no sense"))
    got = cell.ask(Ask())
    assert got.error and got.error["status"] == 400 and "this makes no sense" in got.error["message"], got
    cell.upstream.answer(replies.error(cell.vendor.name, 429, "Slower, please", headers=[("retry-after", "7")]))
    got = cell.ask(Ask())
    assert got.error and got.error["status"] == 429 and "Slower, please" in got.error["message"], got
    if cell.streams:
        cell.upstream.answer(lambda request: broken(request))
        got = cell.ask(Ask())
        assert got.error, got


def broken(request):
    answer = replies.answer(request, Say(text="half of the answer and then no more"))
    return answer.with_(pieces=answer.pieces[:4], end="cut")


def cancel(cell):
    """The client leaves in the middle of a stream; the vendor notices."""
    gate = Gate()

    def held(request):
        answer = replies.answer(request, Say(text="one two three four five six seven"))
        return answer.with_(pieces=[*answer.pieces[:-2], gate, *answer.pieces[-2:]])

    cell.upstream.answer(held)
    heard = cell.client.leave(cell.vendor.model, Ask())
    assert heard and "one two three".startswith(heard[:7]), heard
    assert cell.upstream.left.wait(2), "the vendor never noticed"
    cell.journal.next()


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    run: object
    modes: tuple  # of False (whole) and True (streamed)


BOTH = (False, True)
ALL = (
    Kind("text", text, (False,)),
    Kind("stream", stream, (True,)),
    Kind("tools", tools, BOTH),
    Kind("parallel tools", parallel_tools, BOTH),
    Kind("tool loop with signature", tool_loop, BOTH),
    Kind("image", image, (False,)),
    Kind("document", document, (False,)),
    Kind("thinking", thinking, BOTH),
    Kind("structured output", structured_output, BOTH),
    Kind("usage", usage, BOTH),
    Kind("stop reason", stop_reason, BOTH),
    Kind("vendor error", vendor_error, BOTH),
    Kind("cancel", cancel, (True,)),
)
