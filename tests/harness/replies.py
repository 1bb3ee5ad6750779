"""What a model says, spelled by each vendor: whole and as a stream. Written after recorded traffic.
SPDX-License-Identifier: MIT
"""

import dataclasses
import json

from . import replies_responses


@dataclasses.dataclass
class Call:
    name: str
    arguments: dict
    id: str = ""
    signature: str = ""  # Gemini


@dataclasses.dataclass
class Say:
    text: str = ""
    calls: list = dataclasses.field(default_factory=list)
    thinking: str = ""
    signature: str = ""
    refusal: str = ""
    stop: str = ""  # "", length, filter
    input: int = 11  # plain input tokens
    cached: int = 0
    written: int = 0
    output: int = 7  # without reasoning
    reasoning: int = 0
    model: str = ""


def dumps(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def pieces_of(text, size=7):
    """The text in the pieces that a stream carries."""
    return [text[i : i + size] for i in range(0, len(text), size)]


def call_id(dialect, call, index):
    prefix = {"openai_chat": "call_", "anthropic": "toolu_"}.get(dialect, "")
    return call.id or (prefix and f"{prefix}{index}{call.name}"[:40])


def answer(request, say):
    """The Answer to `request` that says `say`."""
    from .upstream import Answer

    model = say.model or model_of(request)
    if not request.streams:
        body = dumps(WHOLE[request.dialect](say, model)).encode()
        return Answer(pieces=[body])
    if "bedrock" in request.dialect:
        frames = list(STREAM[request.dialect](say, model))
        return Answer(headers=[("Content-Type", bedrock_replies.MEDIA_TYPE)], framing="chunked", pieces=frames)
    usage = (
        bool((request.json.get("stream_options") or {}).get("include_usage"))
        if request.dialect == "openai_chat"
        else True
    )
    return Answer(
        headers=[("Content-Type", "text/event-stream")],
        framing="chunked",
        pieces=[e.encode() for e in STREAM[request.dialect](say, model, usage)],
    )


def model_of(request):
    if request.dialect == "gemini":
        return request.path.rsplit("/", 1)[1].split(":")[0]
    if "bedrock" in request.dialect:
        return request.path.split("/")[2]
    return request.json.get("model", "")


# -- OpenAI Chat


def openai_usage(say):
    prompt, completion = say.input + say.cached + say.written, say.output + say.reasoning
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": say.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": say.reasoning, "audio_tokens": 0},
    }


def openai_finish(say):
    return {"length": "length", "filter": "content_filter"}.get(say.stop) or ("tool_calls" if say.calls else "stop")


def openai_call(call, index):
    arguments = dumps(call.arguments)
    return {
        "id": call_id("openai_chat", call, index),
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def openai_whole(say, model):
    message = {"role": "assistant", "content": say.text or None, "refusal": say.refusal or None, "annotations": []}
    if say.calls:
        message["tool_calls"] = [openai_call(c, i) for i, c in enumerate(say.calls)]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": openai_finish(say)}
    return {
        "id": "chatcmpl-scripted1",
        "object": "chat.completion",
        "created": 1760000000,
        "model": model,
        "choices": [choice],
        "usage": openai_usage(say),
        "service_tier": "default",
        "system_fingerprint": "fp_scripted",
    }


def openai_stream(say, model, usage):
    def chunk(choices, **more):
        body = {"id": "chatcmpl-scripted1", "object": "chat.completion.chunk", "created": 1760000000, "model": model}
        body |= {"service_tier": "default", "system_fingerprint": "fp_scripted", "choices": choices}
        if usage:
            body["usage"] = None
        return f"data: {dumps(body | more)}\n\n"

    def delta(value, finish=None):
        return chunk([{"index": 0, "delta": value, "logprobs": None, "finish_reason": finish}])

    yield delta({"role": "assistant", "content": "" if say.text else None, "refusal": None})
    for piece in pieces_of(say.text):
        yield delta({"content": piece})
    for piece in pieces_of(say.refusal):
        yield delta({"refusal": piece})
    for i, call in enumerate(say.calls):
        whole = openai_call(call, i)
        arguments = whole["function"]["arguments"]
        whole["function"]["arguments"] = ""
        yield delta({"tool_calls": [{"index": i} | whole]})
        for piece in pieces_of(arguments):
            yield delta({"tool_calls": [{"index": i, "function": {"arguments": piece}}]})
    yield delta({}, openai_finish(say))
    if usage:
        yield chunk([], usage=openai_usage(say))
    yield "data: [DONE]\n\n"


# -- Anthropic Messages


def anthropic_usage(say):
    return {
        "input_tokens": say.input,
        "cache_creation_input_tokens": say.written,
        "cache_read_input_tokens": say.cached,
        "cache_creation": {"ephemeral_5m_input_tokens": say.written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": say.output + say.reasoning,
        "output_tokens_details": {"thinking_tokens": say.reasoning},
        "service_tier": "standard",
    }


def anthropic_blocks(say):
    if say.thinking or say.signature:
        yield {"type": "thinking", "thinking": say.thinking, "signature": say.signature}
    if say.text or say.refusal:
        yield {"type": "text", "text": say.text or say.refusal}
    for i, call in enumerate(say.calls):
        yield {"type": "tool_use", "id": call_id("anthropic", call, i), "name": call.name, "input": call.arguments}


def anthropic_stop(say):
    named = {"length": "max_tokens", "filter": "refusal"}.get(say.stop)
    return named or ("refusal" if say.refusal else "tool_use" if say.calls else "end_turn")


def anthropic_whole(say, model):
    return {
        "model": model,
        "id": "msg_scripted1",
        "type": "message",
        "role": "assistant",
        "content": list(anthropic_blocks(say)),
        "stop_reason": anthropic_stop(say),
        "stop_sequence": None,
        "usage": anthropic_usage(say),
    }


def anthropic_stream(say, model, usage=True):
    def event(body):
        return f"event: {body['type']}\ndata: {dumps(body)}\n\n"

    start = anthropic_whole(say, model) | {"content": [], "stop_reason": None}
    start["usage"] = anthropic_usage(say) | {"output_tokens": 1}
    del start["usage"]["output_tokens_details"]
    yield event({"type": "message_start", "message": start})
    for i, block in enumerate(anthropic_blocks(say)):
        empty = dict(block)
        match block["type"]:
            case "thinking":
                empty |= {"thinking": "", "signature": ""}
                deltas = [{"type": "thinking_delta", "thinking": p} for p in pieces_of(block["thinking"])]
                deltas.append({"type": "signature_delta", "signature": block["signature"]})
            case "text":
                empty["text"] = ""
                deltas = [{"type": "text_delta", "text": p} for p in pieces_of(block["text"])]
            case _:
                empty["input"] = {}
                text = dumps(block["input"]) if block["input"] else ""
                deltas = [{"type": "input_json_delta", "partial_json": p} for p in ["", *pieces_of(text)]]
        yield event({"type": "content_block_start", "index": i, "content_block": empty})
        if i == 0:
            yield event({"type": "ping"})
        for delta in deltas:
            yield event({"type": "content_block_delta", "index": i, "delta": delta})
        yield event({"type": "content_block_stop", "index": i})
    final = {
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "output_tokens",
        "output_tokens_details",
    }
    end_usage = {k: v for k, v in anthropic_usage(say).items() if k in final}
    yield event(
        {
            "type": "message_delta",
            "delta": {"stop_reason": anthropic_stop(say), "stop_sequence": None},
            "usage": end_usage,
        }
    )
    yield event({"type": "message_stop"})


# -- Gemini


def gemini_usage(say):
    prompt = say.input + say.cached
    usage = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": say.output,
        "totalTokenCount": prompt + say.output + say.reasoning,
    }
    if say.cached:
        usage["cachedContentTokenCount"] = say.cached
    if say.reasoning:
        usage["thoughtsTokenCount"] = say.reasoning
    return usage


def gemini_finish(say):
    return {"length": "MAX_TOKENS", "filter": "SAFETY"}.get(say.stop, "STOP")


def gemini_parts(say, size=0):
    if say.thinking:
        yield {"text": say.thinking, "thought": True}
    text = say.text or say.refusal
    for piece in pieces_of(text, size) if size else [text] if text else []:
        yield {"text": piece}
    for call in say.calls:
        part = {"functionCall": {"name": call.name, "args": call.arguments}}
        if call.id:
            part["functionCall"]["id"] = call.id
        if call.signature:
            part["thoughtSignature"] = call.signature
        yield part


def gemini_body(say, model, parts, finish=None):
    candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": gemini_usage(say),
        "modelVersion": model,
        "responseId": "scripted1",
    }


def gemini_whole(say, model):
    return gemini_body(say, model, list(gemini_parts(say)), gemini_finish(say))


def gemini_stream(say, model, usage=True):
    for part in gemini_parts(say, 7):
        yield f"data: {dumps(gemini_body(say, model, [part]))}\r\n\r\n"
    yield f"data: {dumps(gemini_body(say, model, [{'text': ''}], gemini_finish(say)))}\r\n\r\n"


# -- Cohere Chat, version 2


def cohere_usage(say):
    tokens = {"input_tokens": say.input + say.cached, "output_tokens": say.output + say.reasoning}
    if say.reasoning:
        tokens["reasoning_tokens"] = say.reasoning
    billed = {"input_tokens": say.input, "output_tokens": say.output + say.reasoning}
    return {"billed_units": billed, "tokens": tokens, "cached_tokens": say.cached}


def cohere_content(say):
    if say.thinking:
        yield {"type": "thinking", "thinking": say.thinking}
    if (text := say.text or say.refusal) and not say.calls:
        yield {"type": "text", "text": text}


def cohere_finish(say):
    return "MAX_TOKENS" if say.stop == "length" else "TOOL_CALL" if say.calls else "COMPLETE"


def cohere_call(call, index):
    function = {"name": call.name, "arguments": dumps(call.arguments)}
    return {"id": call.id or f"{call.name}_{index}abc", "type": "function", "function": function}


def cohere_whole(say, model):
    message = {"role": "assistant"}
    if content := list(cohere_content(say)):
        message["content"] = content
    if say.calls:
        message["tool_plan"] = say.text
        message["tool_calls"] = [cohere_call(c, i) for i, c in enumerate(say.calls)]
    return {"id": "scripted-1", "message": message, "finish_reason": cohere_finish(say), "usage": cohere_usage(say)}


def cohere_stream(say, model, usage=True):
    def event(kind, delta=None, **more):
        body = {"type": kind} | more | ({} if delta is None else {"delta": delta})
        return f"event: {kind}\ndata: {dumps(body)}\n\n"

    def message(**inside):
        return {"message": inside}

    empty = message(role="assistant", content=[], tool_plan="", tool_calls=[], citations=[])
    yield event("message-start", empty, id="scripted-1")
    for i, part in enumerate(cohere_content(say)):
        kind = part["type"]
        yield event("content-start", message(content={"type": kind, kind: ""}), index=i)
        for piece in pieces_of(part[kind]):
            yield event("content-delta", message(content={kind: piece}), index=i)
        yield event("content-end", index=i)
    for piece in pieces_of(say.text) if say.calls else []:
        yield event("tool-plan-delta", message(tool_plan=piece))
    for i, call in enumerate(say.calls):
        whole = cohere_call(call, i)
        arguments, whole["function"]["arguments"] = whole["function"]["arguments"], ""
        yield event("tool-call-start", message(tool_calls=whole), index=i)
        for piece in pieces_of(arguments):
            yield event("tool-call-delta", message(tool_calls={"function": {"arguments": piece}}), index=i)
        yield event("tool-call-end", index=i)
    yield event("message-end", {"finish_reason": cohere_finish(say), "usage": cohere_usage(say)})
    yield "data: [DONE]\n\n"


WHOLE = {
    "openai_chat": openai_whole,
    "openai_responses": replies_responses.whole,
    "anthropic": anthropic_whole,
    "gemini": gemini_whole,
    "cohere": cohere_whole,
}
STREAM = {
    "openai_chat": openai_stream,
    "openai_responses": replies_responses.stream,
    "anthropic": anthropic_stream,
    "gemini": gemini_stream,
    "cohere": cohere_stream,
}


from . import bedrock_replies  # noqa: E402  it needs what stands above

WHOLE |= {"bedrock_converse": bedrock_replies.whole, "claude_on_bedrock": anthropic_whole}
STREAM |= {"bedrock_converse": bedrock_replies.stream, "claude_on_bedrock": bedrock_replies.claude_stream}


def error(dialect, status, message, kind=None, headers=()):
    """The vendor's own error reply."""
    from .upstream import Answer

    if dialect == "anthropic":
        kinds = {
            400: "invalid_request_error",
            401: "authentication_error",
            404: "not_found_error",
            429: "rate_limit_error",
        }
        kinds |= {403: "permission_error", 413: "request_too_large", 422: "invalid_request_error"}
        kinds |= {529: "overloaded_error"}
        word = kind or kinds.get(status, "api_error")
        body = {"type": "error", "error": {"type": word, "message": message}, "request_id": "req_scripted"}
    elif dialect == "gemini":
        words = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
        words |= {429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
        body = {"error": {"code": status, "message": message, "status": kind or words.get(status, "INTERNAL")}}
    elif dialect == "cohere":
        body = {"id": "scripted-error", "message": message}
    elif "bedrock" in dialect:
        body = {"message": message}
        headers = [*headers, *bedrock_replies.error_headers(status, kind)]
    else:
        word = kind or ("server_error" if status >= 500 else "invalid_request_error")
        body = {"error": {"message": message, "type": word, "param": None, "code": None}}
    return Answer(
        status=status, headers=[("Content-Type", "application/json"), *headers], pieces=[dumps(body).encode()]
    )
