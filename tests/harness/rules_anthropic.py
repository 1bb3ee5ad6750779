"""What api.anthropic.com refuses in a message. SPDX-License-Identifier: MIT"""

import re

CALL_ID = re.compile(r"^[a-zA-Z0-9_-]+$")
MEDIA = {"image/jpeg", "image/png", "image/gif", "image/webp"}
SENTINEL = object()


def check(body, request, issued):
    for rule in (headers, sampling, limits, thinking, tools, turns):
        if why := rule(body, request, issued):
            return why
    return None


def _version(body):
    from .vendor_rules import version_of

    model = body.get("model", "")
    named = version_of(model, r"claude-(?:opus|sonnet|haiku|fable|mythos)-")
    return named or version_of(model, "claude-")  # claude-3-opus


def _always_thinks(body):
    version, model = _version(body), body.get("model", "")
    if version is None:
        return False
    if "fable" in model or "mythos" in model:
        return version >= (5, 1)
    return version >= (5, 5) and "haiku" not in model


def headers(body, request, issued):
    if request.header("anthropic-version") not in ("2023-06-01", "2026-10-21"):
        return f"anthropic-version: {request.header('anthropic-version')!r} is no known version"
    return None


def sampling(body, request, issued):
    version = _version(body)
    given = [name for name in ("temperature", "top_p", "top_k") if name in body]
    if given and request.header("anthropic-version") == "2026-10-21":
        return f"{given[0]}: Extra inputs are not permitted"
    if version is not None and version > (4, 6):
        for name in given:
            if not (name == "temperature" and body[name] == 1):
                return f"{name}: not supported on this model"
    if "temperature" in body and not 0 <= body["temperature"] <= 1:
        return "temperature: range: 0..1"
    if version is not None and version >= (4, 0) and "temperature" in body and "top_p" in body:
        return "`temperature` and `top_p` cannot both be specified for this model"
    return None


def limits(body, request, issued):
    version = _version(body) or (9, 0)
    most = 128000 if version >= (4, 6) else 64000 if version >= (3, 7) else 32000
    if version < (3, 6):
        most = 8192 if version >= (3, 5) else 4096
    if body.get("max_tokens", 0) > most:
        return f"max_tokens: {body['max_tokens']} > {most}, which is the most that {body.get('model')} can produce"
    if any(not stop.strip() for stop in body.get("stop_sequences", [])):
        return "stop_sequences: each stop sequence must contain non-whitespace"
    if str(body).count("'cache_control'") > 4:
        return "A maximum of 4 blocks with cache_control may be provided"
    return None


def thinking(body, request, issued):
    config = body.get("thinking") or {}
    kind, version = config.get("type"), _version(body)
    if kind == "enabled":
        if version is not None and version >= (4, 7):
            return "thinking.type: enabled is not supported on this model; use adaptive"
        if not 1024 <= config.get("budget_tokens", 0) < body.get("max_tokens", 0):
            return "thinking.budget_tokens: must be at least 1024 and less than max_tokens"
        if body.get("temperature", 1) != 1 or "top_k" in body:
            return "temperature may only be set to 1 when thinking is enabled"
    if kind == "adaptive" and version is not None and version < (4, 6):
        return "adaptive thinking is not supported on this model"
    if kind == "disabled" and _always_thinks(body):
        return "thinking.type: disabled is not supported on this model"
    forced = (body.get("tool_choice") or {}).get("type") in ("any", "tool")
    if forced and (kind == "enabled" or _always_thinks(body)):
        return "tool_choice: forced tool use is not possible with thinking"
    if "block_binding" in config and "thinking-binding-controls" not in (request.header("anthropic-beta") or ""):
        return "thinking.block_binding: Extra inputs are not permitted"
    return None


def tools(body, request, issued):
    from .vendor_rules import TOOL_NAME

    for i, tool in enumerate(body.get("tools", [])):
        if tool.get("type") not in (None, "custom"):
            continue
        if not TOOL_NAME.match(tool.get("name", "")):
            return f"tools.{i}.name: {tool.get('name')!r} is no tool name"
        schema = tool.get("input_schema", {})
        if schema.get("type") != "object" or {"oneOf", "anyOf", "allOf"} & set(schema):
            return f"tools.{i}.input_schema: must be an object schema without oneOf, anyOf or allOf at the top"
    if body.get("tool_choice") and not body.get("tools"):
        return "tool_choice: may only be specified while providing tools"
    form = (body.get("output_config") or {}).get("format") or {}
    return unsupported(form.get("schema", {})) if form else None


def unsupported(schema, path="output_config.format.schema"):
    """Why structured output does not take a schema, or None."""
    if isinstance(schema, list):
        return next((why for part in schema if (why := unsupported(part, path))), None)
    if not isinstance(schema, dict):
        return None
    for word in (
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "maxItems",
    ):
        if word in schema and not isinstance(schema[word], dict):
            return f"{path}: {word} is not supported"
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return f"{path}: additionalProperties must be false"
    for name, part in schema.get("properties", {}).items():
        if why := unsupported(part, f"{path}.{name}"):
            return why
    return unsupported(schema.get("items"), path + ".items") or unsupported(schema.get("anyOf", []), path + ".anyOf")


def blocks_of(message):
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or [])


def turns(body, request, issued):
    messages = body.get("messages") or []
    if not messages:
        return "messages: at least one message is required"
    if messages[0]["role"] != "user":
        return "messages.0: the first message must be a user message"
    merged = []
    for message in messages:
        if message["role"] == "system" and (_version(body) or (9, 0)) < (4, 8):
            return "messages: role 'system' is not supported on this model"
        if merged and merged[-1][0] == message["role"]:
            merged[-1][1].extend(blocks_of(message))
        else:
            merged.append((message["role"], blocks_of(message)))
    system = body.get("system")
    for block in [{"type": "text", "text": system}] if isinstance(system, str) else system or []:
        if not block.get("text"):
            return "system: text content blocks must be non-empty"
    for i, (role, blocks) in enumerate(merged):
        if why := turn(body, merged, i, role, blocks, issued):
            return f"messages.{i}: {why}"
    role, blocks = merged[-1]
    if role == "assistant":
        if (_version(body) or (9, 0)) >= (4, 6):
            return "This model does not support assistant message prefill"
        if blocks and blocks[-1].get("text", "x") != blocks[-1].get("text", "x").rstrip():
            return "final assistant content cannot end with trailing whitespace"
    return None


def turn(body, merged, i, role, blocks, issued):
    if not blocks:
        return "all messages must have non-empty content"
    for block in blocks:
        if block["type"] == "text" and not block.get("text", "").strip():
            return "text content blocks must contain non-whitespace text"
        if block["type"] in ("image", "document") and (why := media(block)):
            return why
        if block["type"] == "thinking" and block.get("signature") not in issued.signatures:
            return "Invalid `signature` in `thinking` block"
    calls = [b for b in blocks if b["type"] == "tool_use"]
    if any(not CALL_ID.match(c["id"]) for c in calls):
        return "tool_use.id: should match ^[a-zA-Z0-9_-]+$"
    if len({c["id"] for c in calls}) != len(calls):
        return "tool_use ids must be unique"
    if calls and not body.get("tools"):
        return "tools must be given when the history holds tool calls"
    following = merged[i + 1][1] if i + 1 < len(merged) else []
    answered = [b["tool_use_id"] for b in following if b["type"] == "tool_result"]
    if role == "assistant" and i + 1 < len(merged) and {c["id"] for c in calls} - set(answered):
        return "`tool_use` ids were found without `tool_result` blocks immediately after"
    results = [b for b in blocks if b["type"] == "tool_result"]
    if results:
        asked = {b["id"] for b in merged[i - 1][1] if b["type"] == "tool_use"} if i else set()
        if {b["tool_use_id"] for b in results} - asked:
            return "unexpected `tool_use_id` found in `tool_result` blocks"
        if any(b["type"] != "tool_result" for b in blocks[: len(results)]):
            return "tool_result blocks must come first"
    if role == "assistant" and any(b["type"] == "document" for b in blocks):
        return "document blocks are not permitted in assistant messages"
    return None


def media(block):
    from .vendor_rules import is_base64

    source = block.get("source", {})
    if source.get("type") != "base64":
        return None
    if block["type"] == "image" and source.get("media_type") not in MEDIA:
        return f"image.source.media_type: {source.get('media_type')!r}"
    if block["type"] == "document" and source.get("media_type") != "application/pdf":
        return f"document.source.media_type: {source.get('media_type')!r}"
    return None if is_base64(source.get("data", "")) else "source.data: invalid base64"
