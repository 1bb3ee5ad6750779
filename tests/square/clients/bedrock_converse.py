"""AWS's SDKs, Bedrock Converse. SPDX-License-Identifier: MIT"""

import base64
import json

from ..talk import Called, Got

NAME = "bedrock_converse"
PACKAGES = {"Python": "boto3", "Node": "@aws-sdk/client-bedrock-runtime"}
CANNOT = {"reasoning": "a count of thoughts"}
REMARK = """AWS's SDK for Node speaks HTTP/2 by itself, which the gateway does not yet: give it a `NodeHttpHandler` as
`requestHandler`. Converse has no count of thoughts: they are part of the output."""
STOPS = {"end_turn": "end", "tool_use": "tools", "max_tokens": "length", "content_filtered": "filter"}
BUDGET = {"high": 3000}


def words(model, ask):
    """Bytes stand as {"base64": …}: each SDK makes its own kind of bytes of them."""
    content = [{"text": ask.text}]
    if ask.picture:
        content.append({"image": {"format": "png", "source": {"bytes": {"base64": ask.picture}}}})
    if ask.document:
        source = {"bytes": {"base64": ask.document}}
        content.append({"document": {"format": "pdf", "name": "page", "source": source}})
    messages = [{"role": role, "content": [{"text": text}]} for role, text in ask.before]
    messages.append({"role": "user", "content": content})
    for turn, results in ask.past:
        messages.append(turn)
        told = [{"toolResult": {"toolUseId": call.id, "content": [{"text": text}]}} for call, text in results]
        messages.append({"role": "user", "content": told})
    params = {"modelId": model, "messages": messages, "inferenceConfig": {"maxTokens": ask.most}}
    if ask.system:
        params["system"] = [{"text": ask.system}]
    if ask.tools:
        specs = [
            {"toolSpec": {"name": t.name, "description": t.description, "inputSchema": {"json": t.schema}}}
            for t in ask.tools
        ]
        params["toolConfig"] = {"tools": specs} | ({"toolChoice": {"any": {}}} if ask.forced else {})
    if ask.effort:
        thinking = {"type": "enabled", "budget_tokens": BUDGET[ask.effort]}
        params["additionalModelRequestFields"] = {"thinking": thinking}
    if ask.schema:
        form = {"type": "json_schema", "structure": {"jsonSchema": {"schema": json.dumps(ask.schema), "name": "city"}}}
        params["outputConfig"] = {"textFormat": form}
    return params


def heard(reply):
    got, usage = Got(), reply["usage"]
    for block in reply["output"]["message"]["content"]:
        if "text" in block:
            got.text += block["text"]
        elif "toolUse" in block:
            call = block["toolUse"]
            got.calls.append(Called(call["name"], call["input"], call["toolUseId"]))
        elif "reasoningText" in block.get("reasoningContent", {}):
            got.thinking += block["reasoningContent"]["reasoningText"]["text"]
    got.stop = STOPS[reply["stopReason"]]
    cached, written = usage.get("cacheReadInputTokens") or 0, usage.get("cacheWriteInputTokens") or 0
    got.usage = {
        "input": usage["inputTokens"] + cached + written,
        "cached": cached,
        "output": usage["outputTokens"],
        "reasoning": None,  # has no place for it
    }
    return got


def turn(reply):
    """messages.append(response["output"]["message"])"""
    return reply["output"]["message"]


def folded(events):
    """A whole reply from a stream's events, as AWS's examples do it: the SDKs have nothing that does."""
    blocks, reply, pieces = {}, {}, 0
    for event in events:
        kind, value = next(iter(event.items()))
        match kind:
            case "contentBlockStart":
                blocks[value["contentBlockIndex"]] = {"toolUse": value["start"]["toolUse"] | {"input": ""}}
            case "contentBlockDelta":
                pieces += grow(blocks, value["contentBlockIndex"], value["delta"])
            case "messageStop":
                reply["stopReason"] = value["stopReason"]
            case "metadata":
                reply["usage"] = value["usage"]
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
    content = [blocks[i] for i in sorted(blocks)]
    return reply | {"output": {"message": {"role": "assistant", "content": content}}}, pieces


def grow(blocks, index, delta):
    """True for a piece of text."""
    if "toolUse" in delta:
        blocks[index]["toolUse"]["input"] += delta["toolUse"]["input"]
    elif "reasoningContent" in delta:
        block = blocks.setdefault(index, {"reasoningContent": {}})["reasoningContent"]
        if "redactedContent" in delta["reasoningContent"]:
            block["redactedContent"] = delta["reasoningContent"]["redactedContent"]
        else:
            text = block.setdefault("reasoningText", {"text": ""})
            for name, piece in delta["reasoningContent"].items():
                text[name] = text.get(name, "") + piece
    else:
        block = blocks.setdefault(index, {"text": ""})
        block["text"] += delta["text"]
        return True
    return False


def with_bytes(value):
    if isinstance(value, list):
        return [with_bytes(item) for item in value]
    if not isinstance(value, dict):
        return value
    if list(value) == ["base64"]:
        return base64.b64decode(value["base64"])
    return {name: with_bytes(inner) for name, inner in value.items()}


class Python:
    def __init__(self, url, key):
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        self.errors = (ClientError, BotoCoreError)
        self.sdk = boto3.client(
            "bedrock-runtime",
            region_name="eu-central-1",
            endpoint_url=url,
            aws_access_key_id="AKIAOFTHECLIENT00000",
            aws_secret_access_key=key,
            config=Config(retries={"max_attempts": 0}, proxies={}),
        )

    def whole(self, params):
        reply = self.sdk.converse(**with_bytes(params))
        return heard(reply), turn(reply), reply["ResponseMetadata"]["HTTPHeaders"]

    def stream(self, params):
        reply, pieces = folded(self.sdk.converse_stream(**with_bytes(params))["stream"])
        got = heard(reply)
        got.pieces = pieces
        return got, turn(reply), {}

    def leave(self, params):
        stream = self.sdk.converse_stream(**with_bytes(params))["stream"]
        for event in stream:
            if "text" in event.get("contentBlockDelta", {}).get("delta", {}):
                stream.close()
                return event["contentBlockDelta"]["delta"]["text"]

    def told(self, error):
        told = getattr(error, "response", {})
        status = told.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return {"class": type(error).__name__, "status": status, "message": str(error)}
