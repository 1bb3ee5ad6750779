"""What a model says, spelled by AWS Bedrock: Converse, and Claude's own words behind InvokeModel.
SPDX-License-Identifier: MIT
"""

import json

from . import aws_frames
from .replies import anthropic_stream, dumps, pieces_of

MEDIA_TYPE = "application/vnd.amazon.eventstream"


def usage(say):
    total = say.input + say.cached + say.written + say.output + say.reasoning
    out = {"inputTokens": say.input, "outputTokens": say.output + say.reasoning, "totalTokens": total}
    if say.cached or say.written:
        out |= {"cacheReadInputTokens": say.cached, "cacheWriteInputTokens": say.written}
    return out


def blocks(say):
    if say.thinking:
        text = {"text": say.thinking} | ({"signature": say.signature} if say.signature else {})
        yield {"reasoningContent": {"reasoningText": text}}
    if say.text or say.refusal:
        yield {"text": say.text or say.refusal}
    for i, call in enumerate(say.calls):
        yield {"toolUse": {"toolUseId": call.id or f"tooluse_{i}{call.name}", "name": call.name, "input": call.arguments}}


def stop(say):
    return {"length": "max_tokens", "filter": "content_filtered"}.get(say.stop) or (
        "tool_use" if say.calls else "end_turn"
    )


def whole(say, model):
    return {
        "metrics": {"latencyMs": 12},
        "output": {"message": {"role": "assistant", "content": list(blocks(say))}},
        "stopReason": stop(say),
        "usage": usage(say),
    }


def stream(say, model, usage_asked=True):
    yield aws_frames.event("messageStart", {"role": "assistant"})
    for i, block in enumerate(blocks(say)):
        at = {"contentBlockIndex": i}
        deltas = []
        if "text" in block:
            deltas = [{"text": piece} for piece in pieces_of(block["text"])]
        elif "reasoningContent" in block:
            text = block["reasoningContent"]["reasoningText"]
            deltas = [{"reasoningContent": {"text": piece}} for piece in pieces_of(text["text"])]
            if "signature" in text:
                deltas.append({"reasoningContent": {"signature": text["signature"]}})
        else:
            call = dict(block["toolUse"])
            arguments = dumps(call.pop("input"))
            yield aws_frames.event("contentBlockStart", at | {"start": {"toolUse": call}})
            deltas = [{"toolUse": {"input": piece}} for piece in pieces_of(arguments)]
        for delta in deltas:
            yield aws_frames.event("contentBlockDelta", at | {"delta": delta})
        yield aws_frames.event("contentBlockStop", at)
    yield aws_frames.event("messageStop", {"stopReason": stop(say)})
    yield aws_frames.event("metadata", {"usage": usage(say), "metrics": {"latencyMs": 12}})


def claude_stream(say, model, usage_asked=True):
    for text in anthropic_stream(say, model):
        value = json.loads(text.split("data: ", 1)[1])
        if value["type"] == "message_stop":
            value["amazon-bedrock-invocationMetrics"] = {"inputTokenCount": say.input, "outputTokenCount": say.output}
        yield aws_frames.chunk(value)


KINDS = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}


def error_headers(status, kind):
    named = kind or KINDS.get(status, "InternalServerException")
    return [("x-amzn-ErrorType", f"{named}:http://internal.amazon.com/coral/com.amazon.bedrock/")]
