"""OpenAI's SDKs, Responses. SPDX-License-Identifier: MIT"""

import json

from ..talk import Called, Got

NAME = "openai_responses"
PACKAGES = {"Python": "openai", "Node": "openai"}
CANNOT = {}
STOPS = {"max_output_tokens": "length", "content_filter": "filter"}


def words(model, ask):
    content = [{"type": "input_text", "text": ask.text}]
    if ask.picture:
        content.append({"type": "input_image", "image_url": f"data:image/png;base64,{ask.picture}"})
    if ask.document:
        data = f"data:application/pdf;base64,{ask.document}"
        content.append({"type": "input_file", "filename": "page.pdf", "file_data": data})
    items = [{"role": role, "content": text} for role, text in ask.before]
    items.append({"role": "user", "content": content if len(content) > 1 else ask.text})
    for turn, results in ask.past:
        items += turn
        items += [{"type": "function_call_output", "call_id": call.id, "output": text} for call, text in results]
    params = {"model": model, "input": items, "max_output_tokens": ask.most}
    if ask.system:
        params["instructions"] = ask.system
    if ask.tools:
        params["tools"] = [
            {"type": "function", "name": t.name, "description": t.description, "parameters": t.schema, "strict": False}
            for t in ask.tools
        ]
    if ask.forced:
        params["tool_choice"] = "required"
    if ask.effort:
        params["reasoning"] = {"effort": ask.effort, "summary": "auto"}
    if ask.schema:
        params["text"] = {"format": {"type": "json_schema", "name": "city", "schema": ask.schema, "strict": True}}
    return params


def heard(reply):
    got, usage = Got(), reply["usage"]
    for item in reply["output"]:
        match item["type"]:
            case "message":
                got.text += "".join(part.get("text", "") for part in item["content"])
            case "reasoning":
                got.thinking += "".join(part["text"] for part in item["summary"])
            case "function_call":
                got.calls.append(Called(item["name"], json.loads(item["arguments"]), item["call_id"]))
    incomplete = reply.get("incomplete_details") or {}
    assert (reply["status"] == "incomplete") == bool(incomplete), reply
    got.stop = STOPS.get(incomplete.get("reason")) or ("tools" if got.calls else "end")
    got.usage = {
        "input": usage["input_tokens"],
        "cached": usage["input_tokens_details"]["cached_tokens"],
        "output": usage["output_tokens"],
        "reasoning": usage["output_tokens_details"]["reasoning_tokens"],
    }
    return got


def turn(reply):
    """input += response.output"""
    return reply["output"]


class Python:
    def __init__(self, url, key):
        import openai

        self.errors = openai.APIError
        self.sdk = openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0)

    def whole(self, params):
        reply = self.sdk.responses.with_raw_response.create(**params)
        response = reply.parse()
        return heard(response.model_dump(mode="json", exclude_unset=True)), response.output, dict(reply.headers)

    def stream(self, params):
        pieces = 0
        with self.sdk.responses.stream(**params) as stream:
            for event in stream:
                pieces += event.type == "response.output_text.delta"
                last = event
            response = last.response if last.type == "response.incomplete" else stream.get_final_response()
        got = heard(response.model_dump(mode="json", exclude_unset=True, warnings=False))
        got.pieces = pieces
        return got, list(response.output), {}

    def leave(self, params):
        with self.sdk.responses.create(stream=True, **params) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    return event.delta

    def told(self, error):
        return {"class": type(error).__name__, "status": getattr(error, "status_code", None), "message": error.message}
