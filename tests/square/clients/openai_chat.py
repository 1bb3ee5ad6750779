"""OpenAI's SDKs, chat completions. SPDX-License-Identifier: MIT"""

import json

from ..talk import Called, Got

NAME = "openai_chat"
PACKAGES = {"Python": "openai", "Node": "openai"}
CANNOT = {}
STOPS = {"stop": "end", "tool_calls": "tools", "length": "length", "content_filter": "filter"}


def words(model, ask):
    content = [{"type": "text", "text": ask.text}]
    if ask.picture:
        content.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{ask.picture}"}})
    if ask.document:
        file = {"filename": "page.pdf", "file_data": f"data:application/pdf;base64,{ask.document}"}
        content.append({"type": "file", "file": file})
    messages = [{"role": "system", "content": ask.system}] if ask.system else []
    messages += [{"role": role, "content": text} for role, text in ask.before]
    messages.append({"role": "user", "content": content if len(content) > 1 else ask.text})
    for turn, results in ask.past:
        messages.append(turn)
        messages += [{"role": "tool", "tool_call_id": call.id, "content": text} for call, text in results]
    params = {"model": model, "messages": messages, "max_completion_tokens": ask.most}
    if ask.tools:
        params["tools"] = [
            {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.schema}}
            for t in ask.tools
        ]
    if ask.forced:
        params["tool_choice"] = "required"
    if ask.effort:
        params["reasoning_effort"] = ask.effort
    if ask.schema:
        form = {"name": "city", "schema": ask.schema, "strict": True}
        params["response_format"] = {"type": "json_schema", "json_schema": form}
    return params


def heard(reply):
    choice, usage = reply["choices"][0], reply.get("usage") or {}
    message = choice["message"]
    calls = [
        Called(c["function"]["name"], json.loads(c["function"]["arguments"]), c["id"])
        for c in message.get("tool_calls") or []
    ]
    return Got(
        text=message.get("content") or "",
        thinking=message.get("reasoning_content") or "",
        calls=calls,
        stop=STOPS[choice["finish_reason"]],
        usage={
            "input": usage.get("prompt_tokens"),
            "cached": (usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
            "output": usage.get("completion_tokens"),
            "reasoning": (usage.get("completion_tokens_details") or {}).get("reasoning_tokens"),
        },
    )


def turn(reply):
    """The text and the calls, and nothing else."""
    message = reply["choices"][0]["message"]
    calls = [
        {"id": c["id"], "type": "function", "function": {k: c["function"][k] for k in ("name", "arguments")}}
        for c in message.get("tool_calls") or []
    ]
    return {"role": "assistant", "content": message.get("content") or None} | ({"tool_calls": calls} if calls else {})


class Python:
    def __init__(self, url, key):
        import openai

        self.errors = openai.APIError
        self.sdk = openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0)

    def whole(self, params):
        reply = self.sdk.chat.completions.with_raw_response.create(**params)
        body = reply.parse().model_dump(mode="json", exclude_unset=True)
        return heard(body), turn(body), dict(reply.headers)

    def stream(self, params):
        """By the SDK's own accumulator, which looks at every piece."""
        pieces = 0
        with self.sdk.chat.completions.stream(**params, stream_options={"include_usage": True}) as stream:
            thinking = ""
            for event in stream:
                pieces += event.type == "content.delta"
                if event.type == "chunk":
                    snapshot = event.snapshot
                    for choice in event.chunk.choices:
                        thinking += getattr(choice.delta, "reasoning_content", None) or ""
            # Of an answer that was cut the SDK makes an exception, and keeps what came.
            cut = snapshot.choices[0].finish_reason in ("length", "content_filter")
            body = (snapshot if cut else stream.get_final_completion()).model_dump(mode="json", warnings=False)
        got = heard(body)
        got.thinking, got.pieces = thinking, pieces
        return got, turn(body), {}

    def leave(self, params):
        with self.sdk.chat.completions.create(stream=True, **params) as stream:
            for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    return chunk.choices[0].delta.content

    def told(self, error):
        return {"class": type(error).__name__, "status": getattr(error, "status_code", None), "message": error.message}
