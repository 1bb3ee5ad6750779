"""What api.openai.com refuses in a Responses request. SPDX-License-Identifier: MIT"""

CALLS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}


def check(body, request, issued):
    for rule in (parameters, tools, history):
        if why := rule(body, issued):
            return why
    return None


def parameters(body, issued):
    from .rules_openai import loose, reasons

    model, reasoning = body.get("model", ""), body.get("reasoning") or {}
    if reasons(model):
        if reasoning.get("effort") != "none":
            for name in ("temperature", "top_p", "top_logprobs"):
                if body.get(name) not in (None, 1):
                    return f"Unsupported parameter: '{name}' is not supported with this model."
    elif reasoning:
        return "Unsupported parameter: 'reasoning.effort' is not supported with this model."
    if (body.get("max_output_tokens") or 16) < 16:
        return "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16"
    if body.get("tool_choice") not in (None, "none", "auto") and not body.get("tools"):
        return "tool_choice: only allowed when tools are given"
    if body.get("stream_options") is not None and not body.get("stream"):
        return "stream_options: only allowed when stream is true"
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") == "json_schema" and form.get("strict") and (why := loose(form.get("schema", {}))):
        return f"Invalid schema for response_format '{form.get('name')}': {why}"
    if form.get("type") == "json_object" and "json" not in str(body.get("input")).lower():
        return "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'."
    return None


def tools(body, issued):
    from .rules_openai import loose
    from .vendor_rules import TOOL_NAME

    for tool in body.get("tools") or []:
        if tool.get("type") != "function":
            continue
        if not TOOL_NAME.match(tool.get("name", "")):
            return f"tools: {tool.get('name')!r} is no tool name"
        if tool.get("strict") and (why := loose(tool.get("parameters") or {})):
            return f"Invalid schema for function '{tool['name']}': {why}"
    return None


def history(body, issued):
    """Calls and results pair up; a thought stands in front of what it led to and is our own."""
    items = body.get("input")
    if isinstance(items, str):
        return None
    waiting, thinking = {}, None
    for i, item in enumerate(items or []):
        kind = item.get("type", "message")
        if kind in CALLS.values():
            if waiting.pop(item["call_id"], None) != kind:
                return f"No tool call found for function call output with call_id {item['call_id']}."
            continue
        if kind in CALLS:
            waiting[item["call_id"]] = CALLS[kind]
        elif kind == "message" and item.get("role") == "user" and waiting:
            return f"No tool output found for function call {sorted(waiting)[0]}."
        if kind == "message" and (why := message(item, i)):
            return why
        if kind == "reasoning":
            proof = item.get("encrypted_content")
            if proof is not None and proof not in issued.signatures:
                return f"The encrypted content for item {item.get('id')} could not be verified."
            thinking = item
        elif thinking is not None:
            if kind == "message" and item.get("role") != "assistant":
                return f"Item '{thinking.get('id')}' of type 'reasoning' was provided without its required following item."
            thinking = None
    if thinking is not None:
        return f"Item '{thinking.get('id')}' of type 'reasoning' was provided without its required following item."
    return f"No tool output found for function call {sorted(waiting)[0]}." if waiting else None


def message(item, i):
    own = item.get("role") == "assistant"
    for part in item["content"] if isinstance(item.get("content"), list) else []:
        if (part["type"] in ("output_text", "refusal")) != own:
            return f"Invalid value: '{part['type']}' in input[{i}]"
    return None
