"""Anthropic's SDKs. SPDX-License-Identifier: MIT"""

from ..talk import Called, Got

NAME = "anthropic"
PACKAGES = {"Python": "anthropic", "Node": "@anthropic-ai/sdk"}
CANNOT = {}
STOPS = {"end_turn": "end", "tool_use": "tools", "max_tokens": "length", "refusal": "filter"}
BUDGET = {"high": 3000}


def words(model, ask):
    content = [{"type": "text", "text": ask.text}]
    for kind, mime, data in (("image", "image/png", ask.picture), ("document", "application/pdf", ask.document)):
        if data:
            content.append({"type": kind, "source": {"type": "base64", "media_type": mime, "data": data}})
    messages = [{"role": role, "content": text} for role, text in ask.before]
    messages.append({"role": "user", "content": content if len(content) > 1 else ask.text})
    for turn, results in ask.past:
        messages.append({"role": "assistant", "content": turn})
        told = [{"type": "tool_result", "tool_use_id": call.id, "content": text} for call, text in results]
        messages.append({"role": "user", "content": told})
    params = {"model": model, "messages": messages, "max_tokens": ask.most}
    if ask.system:
        params["system"] = ask.system
    if ask.tools:
        params["tools"] = [
            {"name": t.name, "description": t.description, "input_schema": t.schema} for t in ask.tools
        ]
    if ask.forced:
        params["tool_choice"] = {"type": "any"}
    if ask.effort:
        params["thinking"] = {"type": "enabled", "budget_tokens": BUDGET[ask.effort]}
    if ask.schema:
        params["output_config"] = {"format": {"type": "json_schema", "schema": ask.schema}}
    return params


def heard(reply):
    got, usage = Got(), reply["usage"]
    for block in reply["content"]:
        match block["type"]:
            case "text":
                got.text += block["text"]
            case "thinking":
                got.thinking += block["thinking"]
            case "tool_use":
                got.calls.append(Called(block["name"], block["input"], block["id"]))
    got.stop = STOPS[reply["stop_reason"]]
    cached, written = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
    got.usage = {
        "input": usage["input_tokens"] + cached + written,
        "cached": cached,
        "output": usage["output_tokens"],
        "reasoning": (usage.get("output_tokens_details") or {}).get("thinking_tokens"),
    }
    return got


def turn(reply):
    """{"role": "assistant", "content": message.content}"""
    return reply["content"]


class Python:
    def __init__(self, url, key):
        import anthropic

        self.errors = anthropic.APIError
        self.sdk = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0)

    def whole(self, params):
        reply = self.sdk.messages.with_raw_response.create(**params)
        message = reply.parse()
        return heard(message.model_dump(mode="json", exclude_unset=True)), message.content, dict(reply.headers)

    def stream(self, params):
        with self.sdk.messages.stream(**params) as stream:
            pieces = sum(event.type == "text" for event in stream)
            message = stream.get_final_message()
            headers = dict(stream.response.headers)
        got = heard(message.model_dump(mode="json", exclude_unset=True, warnings=False))
        got.pieces = pieces
        return got, message.content, headers

    def leave(self, params):
        with self.sdk.messages.stream(**params) as stream:
            for text in stream.text_stream:
                return text

    def told(self, error):
        return {"class": type(error).__name__, "status": getattr(error, "status_code", None), "message": error.message}
