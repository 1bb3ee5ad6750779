"""Cohere's SDKs, Chat version 2. SPDX-License-Identifier: MIT"""

import json

from ..talk import Called, Got

NAME = "cohere"
PACKAGES = {"Python": "cohere", "Node": "cohere-ai"}
CANNOT = {"document": "a PDF"}
STOPS = {"COMPLETE": "end", "TOOL_CALL": "tools", "MAX_TOKENS": "length", "ERROR": "filter"}
BUDGET = {"high": 3000}
ONCE = {"max_retries": 0}


def words(model, ask):
    content = [{"type": "text", "text": ask.text}]
    if ask.picture:
        content.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{ask.picture}"}})
    messages = [{"role": "system", "content": ask.system}] if ask.system else []
    messages += [{"role": role, "content": text} for role, text in ask.before]
    messages.append({"role": "user", "content": content if len(content) > 1 else ask.text})
    for turn, results in ask.past:
        messages.append(turn)
        for call, text in results:
            document = {"type": "document", "document": {"data": {"output": text}}}
            messages.append({"role": "tool", "tool_call_id": call.id, "content": [document]})
    params = {"model": model, "messages": messages, "max_tokens": ask.most}
    if ask.notes:
        params["documents"] = [{"id": "notes", "data": {"text": ask.notes}}]
    if ask.tools:
        params["tools"] = [
            {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.schema}}
            for t in ask.tools
        ]
    if ask.forced:
        params["tool_choice"] = "REQUIRED"
    if ask.effort:
        params["thinking"] = {"type": "enabled", "token_budget": BUDGET[ask.effort]}
    if ask.schema:
        params["response_format"] = {"type": "json_object", "json_schema": ask.schema}
    return params


def heard(reply):
    message, usage = reply["message"], reply.get("usage") or {}
    tokens = usage.get("tokens") or {}
    content = message.get("content") or []
    return Got(
        text=(message.get("tool_plan") or "") + "".join(c.get("text") or "" for c in content),
        thinking="".join(c.get("thinking") or "" for c in content),
        calls=[
            Called(c["function"]["name"], json.loads(c["function"]["arguments"]), c["id"])
            for c in message.get("tool_calls") or []
        ],
        stop=STOPS[reply["finish_reason"]],
        usage={
            "input": tokens.get("input_tokens"),
            "cached": usage.get("cached_tokens"),
            "output": tokens.get("output_tokens"),
            "reasoning": tokens.get("reasoning_tokens"),
        },
    )


def turn(reply):
    """The plan and the calls, as Cohere's guide to tool use writes them."""
    message = reply["message"]
    plan = message.get("tool_plan") or "".join(c.get("text") or "" for c in message.get("content") or [])
    return {"role": "assistant", "tool_plan": plan, "tool_calls": message.get("tool_calls") or []}


def folded(events):
    """A whole reply from a stream's events, as the guides do it: the SDK has nothing that does."""
    reply, pieces = {"message": {"content": [], "tool_plan": "", "tool_calls": []}}, 0
    message = reply["message"]
    for event in events:
        delta = (event.get("delta") or {}).get("message") or {}
        match event["type"]:
            case "content-start":
                message["content"].append({"text": "", "thinking": ""})
            case "content-delta":
                for name in ("text", "thinking"):
                    message["content"][-1][name] += delta["content"].get(name) or ""
                pieces += bool(delta["content"].get("text"))
            case "tool-plan-delta":
                message["tool_plan"] += delta["tool_plan"]
                pieces += 1
            case "tool-call-start":
                call = delta["tool_calls"]
                arguments = call["function"].get("arguments") or ""
                function = {"name": call["function"]["name"], "arguments": arguments}
                message["tool_calls"].append({"id": call["id"], "type": "function", "function": function})
            case "tool-call-delta":
                call = message["tool_calls"][event["index"]]
                call["function"]["arguments"] += delta["tool_calls"]["function"]["arguments"]
            case "message-end":
                reply |= event["delta"]
    return reply, pieces


class Python:
    def __init__(self, url, key):
        import cohere
        from cohere.core.api_error import ApiError

        self.errors = ApiError
        self.sdk = cohere.ClientV2(api_key=key, base_url=url)

    def whole(self, params):
        reply = self.sdk.with_raw_response.chat(**params, request_options=ONCE)
        body = json.loads(reply.data.json())
        return heard(body), turn(body), dict(reply.headers)

    def stream(self, params):
        body, pieces = folded(json.loads(event.json()) for event in self.sdk.chat_stream(**params, request_options=ONCE))
        got = heard(body)
        got.pieces = pieces
        return got, turn(body), {}

    def leave(self, params):
        stream = self.sdk.chat_stream(**params)
        for event in stream:
            if event.type == "content-delta":
                stream.close()
                return event.delta.message.content.text

    def told(self, error):
        message = error.body.get("message") if isinstance(error.body, dict) else str(error.body)
        return {"class": type(error).__name__, "status": error.status_code, "message": message}
