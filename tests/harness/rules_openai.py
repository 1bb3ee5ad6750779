"""What api.openai.com refuses in a chat completion. SPDX-License-Identifier: MIT"""

import re


def reasons(model):
    """A reasoning model: o1 and later o's, GPT-5 and later."""
    from .vendor_rules import version_of

    if re.match(r"o\d", model):
        return True
    version = version_of(model, "gpt-")
    return version is not None and version >= (5, 0) and "chat" not in model


def check(body, request, issued):
    from .vendor_rules import TOOL_NAME, version_of

    model, messages = body.get("model", ""), body.get("messages", [])
    effort = body.get("reasoning_effort")
    if body.get("stream_options") is not None and not body.get("stream"):
        return "stream_options: only allowed when stream is true"
    if "parallel_tool_calls" in body and not body.get("tools"):
        return "parallel_tool_calls: only allowed when tools are given"
    if body.get("tool_choice") not in (None, "none") and not body.get("tools"):
        return "tool_choice: only allowed when tools are given"
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        return "top_logprobs: needs logprobs"
    if reasons(model):
        version = version_of(model, "gpt-")
        lenient = version is not None and (5, 1) <= version <= (5, 6) and effort == "none"
        refused = ["presence_penalty", "frequency_penalty", "logit_bias", "max_tokens"]
        refused += [] if lenient else ["top_p", "logprobs"]
        for name in refused:
            if body.get(name) is not None:
                return f"Unsupported parameter: '{name}' is not supported with this model"
        if body.get("temperature") not in (None, 1) and not lenient:
            return "Unsupported value: 'temperature' does not support this value with this model"
        if body.get("tools") and version is not None and version >= (5, 4):
            if (effort or ("none" if version < (5, 6) else "")) != "none":
                return "Function tools with reasoning_effort are not supported for this model in /v1/chat/completions"
    elif effort is not None:
        return "Unrecognized request argument supplied: reasoning_effort"
    for tool in body.get("tools", []):
        named = tool.get("function") or tool.get("custom") or {}
        if not TOOL_NAME.match(named.get("name", "")):
            return f"tools: {named.get('name')!r} is no tool name"
    form = body.get("response_format") or {}
    if form.get("type") == "json_object" and "json" not in str(messages).lower():
        return "'messages' must contain the word 'json' to use response_format json_object"
    if form.get("type") == "json_schema":
        wanted = form["json_schema"]
        if wanted.get("strict") and (why := loose(wanted.get("schema", {}))):
            return f"Invalid schema for response_format: {why}"
    return pairing(messages)


def loose(schema, path="$"):
    """Why a schema is none that strict mode takes, or None."""
    if not isinstance(schema, dict):
        return None
    if "properties" in schema:
        if schema.get("additionalProperties") is not False:
            return f"{path}: additionalProperties must be false"
        if missing := set(schema["properties"]) - set(schema.get("required", [])):
            return f"{path}: {sorted(missing)} must be required"
    for name, part in schema.get("properties", {}).items():
        if why := loose(part, f"{path}.{name}"):
            return why
    return loose(schema["items"], f"{path}[]") if isinstance(schema.get("items"), dict) else None


def pairing(messages):
    """Every call is answered by one tool message before any other role speaks; no answer without a call."""
    waiting = set()
    for i, message in enumerate(messages):
        role = message.get("role")
        if role == "tool":
            if message.get("tool_call_id") not in waiting:
                return f"messages[{i}]: a tool message must answer a preceding call"
            waiting.discard(message["tool_call_id"])
            continue
        if waiting:
            return f"messages[{i}]: the tool calls {sorted(waiting)} have no answer"
        if role == "assistant":
            waiting = {call["id"] for call in message.get("tool_calls") or []}
    return f"messages: the tool calls {sorted(waiting)} have no answer" if waiting else None
