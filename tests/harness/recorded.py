"""What a recorded answer of a vendor says, read by the plainest code that can: the measure for what an OpenAI client
must be told.
SPDX-License-Identifier: MIT
"""

import dataclasses
import json
import re


@dataclasses.dataclass
class Told:
    text: str = ""
    thinking: str = ""
    calls: list = dataclasses.field(default_factory=list)
    finish: str = ""
    usage: tuple | None = None  # (all input, all output)


def sse(text):
    for block in text.replace("\r\n", "\n").split("\n\n"):
        data = [line[5:].strip() for line in block.split("\n") if line.startswith("data:")]
        if data and data != ["[DONE]"]:
            yield json.loads("\n".join(data))


ANTHROPIC_STOP = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
}


def anthropic(exchange):
    blocks, usage, stop = {}, {}, None
    if exchange["response_sse"] is None:
        body = exchange["response"]
        blocks = dict(enumerate(body["content"]))
        usage, stop = body["usage"], body["stop_reason"]
    else:
        for event in sse(exchange["response_sse"]):
            match event["type"]:
                case "message_start":
                    usage = dict(event["message"]["usage"])
                case "content_block_start":
                    blocks[event["index"]] = dict(event["content_block"]) | {"json": ""}
                case "content_block_delta":
                    block, delta = blocks[event["index"]], event["delta"]
                    match delta["type"]:
                        case "text_delta":
                            block["text"] += delta["text"]
                        case "thinking_delta":
                            block["thinking"] += delta["thinking"]
                        case "input_json_delta":
                            block["json"] += delta["partial_json"]
                case "message_stop":
                    break  # some recordings hold the next message's stream too
                case "message_delta":
                    stop = event["delta"]["stop_reason"] or stop
                    usage |= {k: v for k, v in (event.get("usage") or {}).items() if v is not None}
    told = Told(finish=ANTHROPIC_STOP[stop])
    for block in blocks.values():
        match block["type"]:
            case "text":
                told.text += block["text"]
            case "thinking":
                told.thinking += block["thinking"]
            case "tool_use":
                told.calls.append((block["name"], json.loads(block["json"]) if block.get("json") else block["input"]))
    read = sum(usage.get(n) or 0 for n in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"))
    told.usage = (read, usage["output_tokens"])
    return told


GEMINI_STOP = {"STOP": "stop", "MAX_TOKENS": "length"}


def put(root, path, value):
    """Stores or appends `value` at a path such as $.a.b[0]."""
    steps = [int(s[1:-1]) if s[0] == "[" else s for s in re.findall(r"\[\d+\]|[^.\[\]$]+", path)]
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if isinstance(step, int):
            root.extend([None] * (step + 1 - len(root)))
        if following is None:
            old = root[step] if isinstance(step, int) else root.get(step)
            root[step] = old + value if isinstance(old, str) and isinstance(value, str) else value
            return
        child = root[step] if isinstance(step, int) else root.get(step)
        if child is None:
            child = root[step] = [] if isinstance(following, int) else {}
        root = child


def gemini_call(told, call):
    """A call comes whole, or (Vertex) as a name and then its arguments in parts."""
    if "name" in call:
        told.calls.append((call["name"], call.get("args") or {}))
    for part in call.get("partialArgs") or []:
        value = next((part[n] for n in ("stringValue", "numberValue", "boolValue") if n in part), None)
        put(told.calls[-1][1], part["jsonPath"], value)


def gemini(exchange):
    """None for what an OpenAI client is told in other ways: several candidates, none, blocked ones."""
    if exchange["response_sse"] is not None:
        bodies = list(sse(exchange["response_sse"]))
    else:
        bodies = exchange["response"] if isinstance(exchange["response"], list) else [exchange["response"]]
    told, usage, stop = Told(), {}, None
    for body in bodies:
        candidates = body.get("candidates") or []
        if len(candidates) > 1 or any(c.get("index", 0) for c in candidates):
            return None
        usage = body.get("usageMetadata") or usage
        for candidate in candidates:
            stop = candidate.get("finishReason") or stop
            for part in (candidate.get("content") or {}).get("parts") or []:
                if part.get("thought"):
                    told.thinking += part.get("text", "")
                elif "functionCall" in part:
                    gemini_call(told, part["functionCall"])
                else:
                    told.text += part.get("text", "")
    if stop not in GEMINI_STOP:
        return None
    told.finish = "tool_calls" if told.calls and stop == "STOP" else GEMINI_STOP[stop]
    read = usage.get("promptTokenCount", 0) + usage.get("toolUsePromptTokenCount", 0)
    told.usage = (read, usage.get("candidatesTokenCount", 0) + usage.get("thoughtsTokenCount", 0)) if usage else None
    return told


BEDROCK_STOP = {"end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls", "max_tokens": "length"}


def bedrock(exchange):
    """None for an end that an OpenAI client is told in other words."""
    blocks, usage, stop = {}, None, None
    if exchange.get("response_events"):
        for event in exchange["response_events"]:
            kind, value = next(iter(event.items()))
            match kind:
                case "contentBlockStart":
                    blocks[value["contentBlockIndex"]] = dict(value["start"].get("toolUse", {})) | {"json": ""}
                case "contentBlockDelta":
                    block, delta = blocks.setdefault(value["contentBlockIndex"], {}), value["delta"]
                    block["text"] = block.get("text", "") + delta.get("text", "")
                    thought = (delta.get("reasoningContent") or {}).get("text", "")
                    block["thinking"] = block.get("thinking", "") + thought
                    block["json"] = block.get("json", "") + (delta.get("toolUse") or {}).get("input", "")
                case "messageStop":
                    stop = value["stopReason"]
                case "metadata":
                    usage = value["usage"]
        blocks = [blocks[i] for i in sorted(blocks)]
    else:
        body = exchange["response"]
        usage, stop = body["usage"], body["stopReason"]
        for i, block in enumerate(body["output"]["message"]["content"]):
            reasoning = (block.get("reasoningContent") or {}).get("reasoningText") or {}
            cited = "".join(c["text"] for c in (block.get("citationsContent") or {}).get("content", []))
            call = block.get("toolUse") or {}
            blocks[i] = {"text": block.get("text", "") + cited, "thinking": reasoning.get("text", "")} | call
        blocks = list(blocks.values())
    if stop not in BEDROCK_STOP:
        return None
    told = Told(finish=BEDROCK_STOP[stop])
    for block in blocks:
        told.text += block.get("text", "")
        told.thinking += block.get("thinking", "")
        if "name" in block and block.get("type", "tool_use") == "tool_use":
            arguments = json.loads(block["json"]) if block.get("json") else block.get("input", {})
            told.calls.append((block["name"], arguments))
    if usage:
        read = sum(usage.get(n) or 0 for n in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"))
        told.usage = (read, usage["outputTokens"])
    return told
