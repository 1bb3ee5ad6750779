"""Responses that clients come back to (`store`, `previous_response_id`, GET, DELETE, input items), with the official SDK:
held by the vendor where it speaks Responses, else by the gateway. SPDX-License-Identifier: MIT"""

import json
import signal
import uuid

import pytest

from harness import asked
from harness.gateway import CLIENT_KEY, KEYS
from harness.replies import Call, dumps
from harness.spoken import spoken
from harness.upstream import Answer

openai = pytest.importorskip("openai", reason="SDK: openai is not installed")

MODELS = {"chat": "gpt-4o", "claude": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash"}
NATIVE = "gpt-5"
SIGNATURE = "RXVyb3BlIGlzIHNpZ25lZA=="
CLOCK = {"type": "function", "name": "clock", "strict": False, "parameters": {"type": "object", "properties": {}}}


def config(upstream, **more):
    like = {"type": "openai", "base_url": upstream.url("/v1"), "api_key": KEYS["openai"]}
    return {
        "backends": {
            "chat": like | {"dialects": ["openai_chat"], "models": [MODELS["chat"]]},
            "native": like | {"dialects": ["openai_responses"], "models": [NATIVE]},
            "other": like | {"dialects": ["openai_responses"], "models": ["gpt-other"]},
            "claude": {"base_url": upstream.url(), "api_key": KEYS["claude"], "models": [MODELS["claude"]]},
            "gemini": {"base_url": upstream.url(), "api_key": KEYS["gemini"], "models": [MODELS["gemini"]]},
        }
    } | more


def sdk(gateway, **more):
    return openai.OpenAI(base_url=gateway.url + "/v1", api_key=CLIENT_KEY, max_retries=0, **more)


@pytest.fixture
def client(start, upstream):
    upstream.strict = False  # it knows chat's rules only, also where Responses are spoken
    with sdk(start(config(upstream))) as one:
        yield one


@pytest.fixture(params=list(MODELS))
def model(request):
    return MODELS[request.param]


def run(client, mode, **body):
    """The whole response, however it came."""
    if mode == "whole":
        return client.responses.create(**body)
    with client.responses.stream(**body) as stream:
        for _ in stream:
            pass
        return stream.get_final_response()


def whole(response):
    """What the server said, without what the SDK's own parsing adds."""
    out = response.model_dump(mode="json", exclude_unset=True)
    for item in out["output"]:
        item.pop("parsed_arguments", None)
        for part in item.get("content") or []:
            part.pop("parsed", None)
    return out


def not_found(kind, call):
    with pytest.raises(kind) as refused:
        call()
    return refused.value


@pytest.mark.parametrize("mode", ["whole", "stream"])
def test_a_conversation_goes_on_from_its_last_response(client, upstream, model, mode):
    upstream.say(text="Hello, Ada.")
    first = run(client, mode, model=model, input="I am Ada.", instructions="Be brief.")
    assert first.store is True
    upstream.say(text="You are Ada.")
    second = run(client, mode, model=model, input="Who am I?", previous_response_id=first.id)
    # All that was said, but instructions are not inherited.
    assert [text for _, text in asked.said(upstream.last())] == ["I am Ada.", "Hello, Ada.", "Who am I?"]
    assert second.previous_response_id == first.id and second.instructions is None
    upstream.say(text="Three.")
    question = [{"role": "user", "content": "How many questions?"}]
    third = run(client, mode, model=model, input=question, previous_response_id=second.id, instructions="Count.")
    heard = [text for _, text in asked.said(upstream.last())]
    assert heard == ["Count.", "I am Ada.", "Hello, Ada.", "Who am I?", "You are Ada.", "How many questions?"]
    # Another way to go on from the first.
    upstream.say(text="Bye.")
    run(client, mode, model=model, input="Bye!", previous_response_id=first.id)
    assert [text for _, text in asked.said(upstream.last())] == ["I am Ada.", "Hello, Ada.", "Bye!"]
    for one in (first, second, third):
        assert whole(client.responses.retrieve(one.id)) == whole(one)


def test_a_signed_thought_survives_in_what_is_held(client, upstream):
    for name, thinking in (("claude", "I need the clock."), ("gemini", "")):
        call = Call("clock", {}, uuid.uuid4().hex if name == "claude" else "", "" if name == "claude" else SIGNATURE)
        upstream.say(thinking=thinking, signature=SIGNATURE if thinking else "", calls=[call])
        first = client.responses.create(model=MODELS[name], input="What time is it?", tools=[CLOCK])
        said = next(item for item in first.output if item.type == "function_call")
        output = {"type": "function_call_output", "call_id": said.call_id, "output": "noon"}
        upstream.say(text="It is noon.")
        second = client.responses.create(
            model=MODELS[name], input=[output], tools=[CLOCK], previous_response_id=first.id
        )
        assert second.output_text == "It is noon."
        assert SIGNATURE in upstream.last().body.decode(), name
        assert len(asked.items(upstream.last(), "call")) == 1


def test_what_is_held_is_told_and_forgotten(client, upstream, model):
    upstream.say(text="One.")
    first = client.responses.create(model=model, input="Say one.")
    upstream.say(text="Two.")
    second = client.responses.create(model=model, input="Say two.", previous_response_id=first.id)
    page = client.responses.input_items.list(second.id, limit=2)
    assert [item.content[0].text for item in page.data] == ["Say two.", "One."] and page.has_more
    every = list(client.responses.input_items.list(second.id, limit=1, order="asc"))
    assert [item.content[0].text for item in every] == ["Say one.", "One.", "Say two."]
    assert len({item.id for item in every}) == 3
    wrong = not_found(openai.BadRequestError, lambda: client.responses.input_items.list(second.id, limit=1000))
    assert wrong.param == "limit"
    # A GET may tell it as the stream that it might have been.
    told = list(client.responses.retrieve(second.id, stream=True))
    assert [event.sequence_number for event in told] == list(range(len(told)))
    assert told[-1].type == "response.completed" and whole(told[-1].response) == whole(second)
    assert "".join(event.delta for event in told if event.type == "response.output_text.delta") == "Two."
    late = list(client.responses.retrieve(second.id, stream=True, starting_after=3))
    assert [event.sequence_number for event in late] == list(range(4, len(told)))
    # It is over: nothing to cancel.
    refused = not_found(openai.BadRequestError, lambda: client.responses.cancel(first.id))
    assert "synchronous" in refused.message
    client.responses.delete(first.id)
    gone = not_found(openai.NotFoundError, lambda: client.responses.retrieve(first.id))
    assert first.id in gone.message and gone.type == "invalid_request_error"
    not_found(openai.NotFoundError, lambda: client.responses.delete(first.id))
    # What goes on from it has a gap.
    lost = not_found(
        openai.BadRequestError,
        lambda: client.responses.create(model=model, input="x", previous_response_id=second.id),
    )
    assert (lost.code, lost.param) == ("previous_response_not_found", "previous_response_id")
    assert second.id in lost.message


def test_an_item_may_be_sent_by_its_name(client, upstream, model):
    """Vercel's AI SDK does so wherever `store` is not off."""
    upstream.say(text="Let me look.", calls=[Call("clock", {}, uuid.uuid4().hex if model.startswith("claude") else "")])
    question = {"role": "user", "content": "What time is it?"}
    first = client.responses.create(model=model, input=[question], tools=[CLOCK])
    named = [{"type": "item_reference", "id": item.id} for item in first.output if item.type != "function_call"]
    call = next(item for item in first.output if item.type == "function_call")
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "noon"}
    upstream.say(text="It is noon.")
    back = [question, *named, call.model_dump(exclude_unset=True), output]
    second = client.responses.create(model=model, input=back, tools=[CLOCK])
    assert second.output_text == "It is noon."
    assert "Let me look." in str(asked.said(upstream.last()))
    # What goes on from there has the items, not their names.
    upstream.say(text="Bye.")
    client.responses.create(model=model, input="Bye!", previous_response_id=second.id, tools=[CLOCK])
    heard = str(asked.said(upstream.last()))
    assert "Let me look." in heard and "It is noon." in heard
    unknown = [question, {"type": "item_reference", "id": "msg_sluice_0123_0"}]
    refused = not_found(openai.BadRequestError, lambda: client.responses.create(model=model, input=unknown))
    assert "/input/1" in (refused.param or ""), refused.message


def test_what_shall_not_be_held_is_not(client, upstream, start, model):
    upstream.say(text="Hello.")
    response = client.responses.create(model=model, input="Hi", store=False)
    assert response.store is False
    not_found(openai.NotFoundError, lambda: client.responses.retrieve(response.id))
    with sdk(start(config(upstream, server={"response_store": "0"}))) as other:
        upstream.say(text="Hello.")
        response = other.responses.create(model=model, input="Hi", store=True)
        assert response.store is False
        not_found(openai.NotFoundError, lambda: other.responses.retrieve(response.id))
    unknown = lambda: client.responses.create(model=model, input="x", previous_response_id="resp_0")  # noqa: E731
    assert not_found(openai.BadRequestError, unknown).code == "previous_response_not_found"
    assert len(upstream.seen) == 2


def test_an_answer_that_broke_off_is_not_held(client, upstream, model):
    upstream.say(text="Half a word and more of it.")
    answer = upstream.script.pop()
    upstream.answer(lambda request: cut(answer(request)))
    ids = []
    with pytest.raises(openai.APIError):
        for event in client.responses.create(model=model, input="x", stream=True):
            if event.type == "response.created":
                ids.append(event.response.id)
    not_found(openai.NotFoundError, lambda: client.responses.retrieve(ids[0]))


def cut(answer):
    return answer.with_(pieces=answer.pieces[: len(answer.pieces) * 2 // 3], end="cut")


def test_background_needs_a_vendor_that_holds_it(client, upstream, model):
    refused = not_found(
        openai.BadRequestError, lambda: client.responses.create(model=model, input="x", background=True)
    )
    assert refused.param == "background" and not upstream.seen


# --- vendors that hold their own ---------------------------------------------------------------------------------------


def named(answer, id):
    """The same answer under another id."""
    return lambda request: (lambda a: a.with_(pieces=[p.replace(b"resp_1", id.encode()) for p in a.pieces]))(answer(request))


def unique():
    return "resp_" + uuid.uuid4().hex


@pytest.mark.parametrize("mode", ["whole", "stream"])
def test_what_a_vendor_holds_is_asked_of_it(client, upstream, mode):
    id = unique()
    upstream.answer(named(spoken("Hello."), id))
    first = run(client, mode, model=NATIVE, input="Hi")
    assert first.id == id
    upstream.answer(named(spoken("Again."), unique()))
    run(client, mode, model=NATIVE, input="Again", previous_response_id=id)
    sent = upstream.last().json
    assert sent["previous_response_id"] == id and sent["input"] == "Again"
    # Nobody else can go on from it.
    for model in (MODELS["claude"], "gpt-other"):
        refused = not_found(
            openai.BadRequestError,
            lambda: client.responses.create(model=model, input="x", previous_response_id=id),  # noqa: B023
        )
        assert refused.param == "previous_response_id" and '"native"' in refused.message
    seen = len(upstream.seen)
    held = {"id": id, "object": "response", "status": "queued", "output": [], "created_at": 1, "model": NATIVE}
    listed = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    for body in (held, held | {"status": "cancelled"}, listed, {"id": id, "object": "response", "deleted": True}):
        upstream.answer(Answer(pieces=[dumps(body).encode()]))
    assert client.responses.retrieve(id).status == "queued"
    assert client.responses.cancel(id).status == "cancelled"
    assert client.responses.input_items.list(id).data == []
    client.responses.delete(id)
    calls = [(one.method, one.target) for one in upstream.seen[seen:]]
    below = f"/v1/responses/{id}"
    assert calls == [("GET", below), ("POST", below + "/cancel"), ("GET", below + "/input_items"), ("DELETE", below)]


def test_a_background_answer_is_pinned_to_its_vendor(upstream, start):
    """Two accounts of one vendor: the second made it."""
    upstream.strict = False
    all = config(upstream)
    all["backends"]["native"]["base_url"] = "http://127.0.0.1:9/v1"
    all["backends"]["other"]["models"] = [NATIVE]
    gateway = start(all)
    id = unique()
    body = {"id": id, "object": "response", "status": "queued", "output": [], "created_at": 1, "model": NATIVE}
    with sdk(gateway) as client:
        upstream.answer(Answer(pieces=[dumps(body).encode()]))
        assert client.responses.create(model=NATIVE, input="x", background=True).status == "queued"
        assert upstream.last().json["background"] is True
        upstream.answer(Answer(pieces=[dumps(body | {"status": "cancelled"}).encode()]))
        assert client.responses.cancel(id).status == "cancelled"
    line = gateway.wait_for_line(lambda row: row.get("operation") == "responses")
    assert line["backend"] == "other"


@pytest.mark.parametrize("first", ["chat", "claude", "gemini"])
def test_what_is_held_here_goes_to_a_vendor_as_a_whole(client, upstream, first):
    thinking = {"thinking": "Hm.", "signature": SIGNATURE} if first == "claude" else {}
    upstream.say(text="Hello, Ada.", **thinking)
    held = client.responses.create(model=MODELS[first], input="I am Ada.")
    id = unique()
    upstream.answer(named(spoken("Ada."), id))
    moved = client.responses.create(model=NATIVE, input="Who am I?", previous_response_id=held.id)
    sent = upstream.last().json
    assert "previous_response_id" not in sent and SIGNATURE not in upstream.last().body.decode()
    # A look-alike takes what others thought, as words; nobody gets their proofs.
    assert [item["type"] for item in sent["input"] if item["type"] != "reasoning"] == ["message"] * 3
    assert not any("encrypted_content" in item for item in sent["input"])
    assert not any("id" in item for item in sent["input"]), "names that the vendor did not give"
    # From here on the vendor holds it.
    assert moved.id == id
    upstream.answer(named(spoken("Still."), unique()))
    client.responses.create(model=NATIVE, input="And now?", previous_response_id=moved.id)
    assert upstream.last().json["previous_response_id"] == id and upstream.last().json["input"] == "And now?"


@pytest.mark.parametrize("mode", ["whole", "stream"])
def test_what_a_vendor_does_not_hold_is_held_here(upstream, start, mode):
    """OpenRouter speaks Responses and keeps none."""
    upstream.strict = False
    at = {"type": "openrouter", "base_url": upstream.url("/v1"), "api_key": KEYS["openai"], "models": [NATIVE]}
    with sdk(start({"backends": {"router": at}})) as client:
        id = unique()
        upstream.answer(named(spoken("Hello, Ada."), id))
        first = run(client, mode, model=NATIVE, input="I am Ada.")
        assert first.id == id and whole(client.responses.retrieve(id)) == whole(first)
        upstream.answer(named(spoken("Ada."), unique()))
        second = run(client, mode, model=NATIVE, input="Who am I?", previous_response_id=id)
        sent = upstream.last().json
        assert "previous_response_id" not in sent
        assert [item["role"] for item in sent["input"]] == ["user", "assistant", "user"]
        upstream.answer(named(spoken("Twice."), unique()))
        run(client, mode, model=NATIVE, input="How often?", previous_response_id=second.id)
        assert len(upstream.last().json["input"]) == 5
        client.responses.delete(id)
        not_found(openai.NotFoundError, lambda: client.responses.retrieve(id))
        assert len(upstream.seen) == 3


# --- counted before it is asked ------------------------------------------------------------------------------------------


def counts(tokens=1234):
    body = {"object": "response.input_tokens", "input_tokens": tokens, "totalTokens": tokens}
    return Answer(pieces=[dumps(body).encode()])


def count(client, model, **body):
    return client.responses.input_tokens.count(model=model, **body).input_tokens


@pytest.mark.parametrize("counter", [*MODELS.values(), NATIVE])
@pytest.mark.parametrize("first", list(MODELS))
def test_what_is_held_here_is_counted_with_the_question(client, upstream, first, counter):
    thinking = {"thinking": "Hm.", "signature": SIGNATURE} if first == "claude" else {}
    upstream.say(text="Hello, Ada. " * 50, **thinking)
    held = client.responses.create(model=MODELS[first], input="I am Ada.")
    if counter == MODELS["chat"]:  # nobody counts there: guessed here
        alone = count(client, counter, input="Who am I?")
        assert count(client, counter, input="Who am I?", previous_response_id=held.id) > alone + 100
        return
    upstream.answer(counts())
    assert count(client, counter, input="Who am I?", previous_response_id=held.id, truncation="auto") == 1234
    seen = upstream.last()
    assert [text for _, text in asked.said(seen)] == ["I am Ada.", "Hello, Ada. " * 50, "Who am I?"]
    assert "sluice" not in seen.body.decode(), "our names are nobody else's"
    if counter == NATIVE:
        assert seen.path == "/v1/responses/input_tokens" and seen.json["truncation"] == "auto"
        assert "previous_response_id" not in seen.json and "store" not in seen.json
        assert "gw1." not in seen.body.decode() and SIGNATURE not in seen.body.decode()
    # A count is no turn: nothing is held of it, and the conversation goes on from where it was.
    upstream.say(text="You are Ada.")
    client.responses.create(model=MODELS["chat"], input="Well?", previous_response_id=held.id)
    assert [text for _, text in asked.said(upstream.last())][-1] == "Well?"
    assert len(asked.said(upstream.last())) == 3


def test_what_a_vendor_holds_is_counted_by_it_alone(client, upstream):
    id = unique()
    upstream.answer(named(spoken("Hello."), id))
    client.responses.create(model=NATIVE, input="Hi")
    upstream.answer(counts())
    assert count(client, NATIVE, input="Again", previous_response_id=id) == 1234
    assert upstream.last().path == "/v1/responses/input_tokens"
    assert upstream.last().json == {"model": NATIVE, "input": "Again", "previous_response_id": id}
    seen = len(upstream.seen)
    for model in (*MODELS.values(), "gpt-other"):
        refused = not_found(
            openai.BadRequestError,
            lambda: count(client, model, input="x", previous_response_id=id),  # noqa: B023
        )
        assert refused.param == "previous_response_id" and '"native"' in refused.message
    unknown = not_found(
        openai.BadRequestError, lambda: count(client, NATIVE, input="x", previous_response_id="resp_sluice_0")
    )
    assert unknown.code == "previous_response_not_found"
    assert len(upstream.seen) == seen


# --- whose, how long, and whether it lasts -----------------------------------------------------------------------------


def test_nobody_sees_anothers_responses(upstream, start):
    upstream.strict = False
    gateway = start(config(upstream, auth="open"))
    afar = {"Host": "gateway.example"}  # not a call from this machine: another caller
    with sdk(gateway) as ada, sdk(gateway, default_headers=afar) as eve:
        upstream.say(text="A secret.")
        mine = ada.responses.create(model=MODELS["claude"], input="Tell me.").id
        vendors = unique()
        upstream.answer(named(spoken("Another secret."), vendors))
        ada.responses.create(model=NATIVE, input="Tell me.")
        seen = len(upstream.seen)
        for id in (mine, vendors):
            not_found(openai.NotFoundError, lambda: eve.responses.retrieve(id))  # noqa: B023
            not_found(openai.NotFoundError, lambda: eve.responses.delete(id))  # noqa: B023
            not_found(openai.NotFoundError, lambda: eve.responses.input_items.list(id))  # noqa: B023
            for model in (MODELS["claude"], NATIVE):
                unknown = not_found(
                    openai.BadRequestError,
                    lambda: eve.responses.create(model=model, input="x", previous_response_id=id),  # noqa: B023
                )
                assert unknown.code == "previous_response_not_found"
                uncounted = not_found(
                    openai.BadRequestError,
                    lambda: count(eve, model, input="x", previous_response_id=id),  # noqa: B023
                )
                assert uncounted.code == "previous_response_not_found"
        assert len(upstream.seen) == seen
        assert ada.responses.retrieve(mine).output_text == "A secret."


def test_the_conversation_not_used_longest_goes(upstream, start):
    upstream.strict = False
    server = {"response_store_count": 4}
    with sdk(start(config(upstream, server=server))) as client:

        def say(previous=None):
            upstream.say(text="Yes.")
            return client.responses.create(model=MODELS["chat"], input="So?", previous_response_id=previous).id

        old = say()
        other = say()
        new = say(old)
        last = [say(), say()]
        not_found(openai.NotFoundError, lambda: client.responses.retrieve(other))
        for id in (old, new, *last):
            assert client.responses.retrieve(id).id == id


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_file_outlives_the_process(upstream, start, tmp_path, how):
    upstream.strict = False
    storage = {"storage": f"sqlite:{tmp_path / 'sluice.db'}"}
    gateway = start(config(upstream, **storage))
    vendors = unique()
    with sdk(gateway) as client:
        upstream.say(text="Hello, Ada.")
        first = client.responses.create(model=MODELS["claude"], input="I am Ada.")
        upstream.answer(named(spoken("Hello."), vendors))
        client.responses.create(model=NATIVE, input="Hi")
        upstream.say(text="Streamed.")
        second = run(client, "stream", model=MODELS["gemini"], input="And?", previous_response_id=first.id)
        client.responses.retrieve(second.id)  # so that the vendor's answer was written down too
        if how == "killed":
            gateway.process.send_signal(signal.SIGKILL)
            gateway.process.wait()
            gateway.stopped = 0
        else:
            gateway.stop()
    with sdk(start(config(upstream, **storage))) as client:
        assert whole(client.responses.retrieve(second.id)) == whole(second)
        upstream.say(text="Ada.")
        client.responses.create(model=MODELS["chat"], input="Who am I?", previous_response_id=second.id)
        heard = [text for _, text in asked.said(upstream.last())]
        assert heard == ["I am Ada.", "Hello, Ada.", "And?", "Streamed.", "Who am I?"]
        refused = not_found(
            openai.BadRequestError,
            lambda: client.responses.create(model="gpt-other", input="x", previous_response_id=vendors),
        )
        assert '"native"' in refused.message
    assert (tmp_path / "sluice.db").stat().st_mode & 0o777 == 0o600


def test_every_answer_that_a_client_saw_survives_a_kill(upstream, start, tmp_path):
    """In the middle of many: whatever was answered is held."""
    upstream.strict = False
    storage = {"storage": f"sqlite:{tmp_path / 'sluice.db'}"}
    gateway = start(config(upstream, **storage))
    answered = []
    with sdk(gateway) as client:
        for turn in range(30):
            upstream.say(text=f"Answer {turn}.")
            answered.append(client.responses.create(model=MODELS["chat"], input=f"Question {turn}").id)
        gateway.process.send_signal(signal.SIGKILL)
        gateway.process.wait()
        gateway.stopped = 0
    with sdk(start(config(upstream, **storage))) as client:
        for turn, id in enumerate(answered):
            assert client.responses.retrieve(id).output_text == f"Answer {turn}."


def test_a_file_that_cannot_be_used_is_told_at_the_start(upstream, start, tmp_path):
    (tmp_path / "sluice.db").write_text("this is no database, and it is long enough to be looked at " * 99)
    gateway = start(config(upstream, storage=f"sqlite:{tmp_path / 'sluice.db'}"), wait=False)
    assert gateway.process.wait(10) == 2
    assert "sluice.db" in gateway.said() or "not a database" in gateway.said()
    gateway.stopped = 0


def test_the_request_log_names_what_was_asked(client, upstream, start):
    gateway = start(config(upstream))
    with sdk(gateway) as one:
        upstream.say(text="Hello.")
        id = one.responses.create(model=MODELS["chat"], input="Hi").id
        one.responses.retrieve(id)
    line = gateway.wait_for_line(lambda row: row.get("operation") == "responses")
    assert (line["method"], line["status"]) == ("GET", 200) and "backend" not in line
    assert "Hello." not in json.dumps(gateway.lines())
