"""What a request to a vendor says, read out of each vendor's spelling: so that one assertion serves all dialects.
SPDX-License-Identifier: MIT
"""

import json

from . import gemini_spelling


def turns(request):
    """[(role, [item, …])]: items are text, ("call", name, arguments), ("result", name or id, text), ("image", mime,
    base64 or URL), ("file", mime, base64), ("thinking", text, signature). System text is the role "system"."""
    return SPELLED[request.dialect](request.said)


def said(request):
    """[(role, text)] without anything but text."""
    return [(role, "".join(i for i in items if isinstance(i, str))) for role, items in turns(request)]


def items(request, kind):
    """Every item of one kind, in order."""
    return [i for _, found in turns(request) for i in found if isinstance(i, tuple) and i[0] == kind]


def _data_url(url):
    if url.startswith("data:"):
        mime, data = url.removeprefix("data:").split(";base64,")
        return mime, data
    return None, url


def _openai(body):
    out = []
    for message in body["messages"]:
        content = message.get("content")
        found = []
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content or []:
            match part["type"]:
                case "text":
                    found.append(part["text"])
                case "image_url":
                    found.append(("image", *_data_url(part["image_url"]["url"])))
                case "file":
                    found.append(("file", *_data_url(part["file"]["file_data"])))
        if message["role"] == "tool":
            found = [("result", message["tool_call_id"], "".join(found))]
        for call in message.get("tool_calls") or []:
            found.append(("call", call["function"]["name"], json.loads(call["function"]["arguments"])))
        out.append(({"developer": "system"}.get(message["role"], message["role"]), found))
    return out


def _anthropic(body):
    system = body.get("system")
    blocks = [{"type": "text", "text": system}] if isinstance(system, str) else system or []
    out = [("system", [b["text"]]) for b in blocks]
    for message in body["messages"]:
        content = message["content"]
        found = []
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            match block["type"]:
                case "text":
                    found.append(block["text"])
                case "image" | "document":
                    source = block["source"]
                    kind = "image" if block["type"] == "image" else "file"
                    found.append((kind, source.get("media_type"), source.get("data") or source.get("url")))
                case "tool_use":
                    found.append(("call", block["name"], block["input"]))
                case "tool_result":
                    inner = block.get("content", "")
                    text = inner if isinstance(inner, str) else "".join(b.get("text", "") for b in inner)
                    found.append(("result", block["tool_use_id"], text))
                case "thinking":
                    found.append(("thinking", block["thinking"], block["signature"]))
        out.append((message["role"], found))
    return out


def _gemini(body):
    body = body.get("generateContentRequest", body)  # to be counted
    out = [("system", [p["text"]]) for p in (body.get("systemInstruction") or {}).get("parts", [])]
    for turn in gemini_spelling.turns(body["contents"]):
        found = []
        for part in turn["parts"]:
            if part.get("thought"):
                found.append(("thinking", part["text"], part.get("thoughtSignature")))
            elif "text" in part:
                found.append(part["text"])
            elif "inlineData" in part:
                mime = part["inlineData"]["mimeType"]
                found.append(("image" if mime.startswith("image/") else "file", mime, part["inlineData"]["data"]))
            elif "fileData" in part:
                found.append(("image", part["fileData"].get("mimeType"), part["fileData"]["fileUri"]))
            elif "functionCall" in part:
                found.append(("call", part["functionCall"]["name"], part["functionCall"].get("args", {})))
            elif "functionResponse" in part:
                response = part["functionResponse"]["response"]
                text = response.get("output", response.get("result", response))
                found.append(
                    ("result", part["functionResponse"]["name"], text if isinstance(text, str) else json.dumps(text))
                )
        out.append(("assistant" if turn.get("role") == "model" else "user", found))
    return out


def _responses(body):
    out = [("system", [body["instructions"]])] if body.get("instructions") else []
    given = body["input"]
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        role, found = _responses_item(item)
        if role == "assistant" and out and out[-1][0] == role:
            out[-1][1].extend(found)
        else:
            out.append((role, found))
    return out


def _responses_item(item):
    match item.get("type", "message"):
        case "function_call":
            return "assistant", [("call", item["name"], json.loads(item["arguments"]))]
        case "function_call_output":
            output = item["output"]
            text = output if isinstance(output, str) else "".join(p.get("text", "") for p in output)
            return "tool", [("result", item["call_id"], text)]
        case "reasoning":
            text = "\n\n".join(part["text"] for part in item["summary"])
            return "assistant", [("thinking", text, item.get("encrypted_content"))]
    found, content = [], item["content"]
    for part in [{"type": "input_text", "text": content}] if isinstance(content, str) else content:
        match part["type"]:
            case "input_text" | "output_text":
                found.append(part["text"])
            case "input_image":
                found.append(("image", *_data_url(part["image_url"])))
            case "input_file":
                found.append(("file", *_data_url(part["file_data"])))
    return {"developer": "system"}.get(item["role"], item["role"]), found


def _cohere(body):
    out = []
    for message in body["messages"]:
        content = message.get("content")
        found = []
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content or []:
            match part["type"]:
                case "text":
                    found.append(part["text"])
                case "thinking":
                    found.append(("thinking", part["thinking"], None))
                case "image_url":
                    found.append(("image", *_data_url(part["image_url"]["url"])))
                case "document":
                    found.append(json.dumps(part["document"]["data"]))
        if message.get("tool_plan"):
            found.append(message["tool_plan"])
        if message["role"] == "tool":
            found = [("result", message["tool_call_id"], "".join(found))]
        for call in message.get("tool_calls") or []:
            found.append(("call", call["function"]["name"], json.loads(call["function"]["arguments"])))
        out.append((message["role"], found))
    return out


BEDROCK_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "pdf": "application/pdf", "txt": "text/plain"}


def _bedrock(body):
    out = [("system", [b["text"]]) for b in body.get("system", []) if "text" in b]
    for message in body["messages"]:
        found = []
        for block in message["content"]:
            kind, value = next(iter(block.items()))
            match kind:
                case "text":
                    found.append(value)
                case "image" | "document":
                    source = value["source"]
                    data = source.get("bytes") or source.get("text")
                    found.append(("image" if kind == "image" else "file", BEDROCK_TYPES[value["format"]], data))
                case "toolUse":
                    found.append(("call", value["name"], value["input"]))
                case "toolResult":
                    texts = [c["text"] if "text" in c else json.dumps(c.get("json")) for c in value["content"]]
                    found.append(("result", value["toolUseId"], "".join(texts)))
                case "reasoningContent":
                    text = value["reasoningText"]
                    found.append(("thinking", text["text"], text.get("signature")))
        out.append((message["role"], found))
    return out


SPELLED = {
    "openai_chat": _openai,
    "openai_responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "cohere": _cohere,
    "bedrock_converse": _bedrock,
    "claude_on_bedrock": _anthropic,
}


def tools(request):
    """{name: JSON Schema of the parameters}"""
    body = request.said
    match request.dialect:
        case "openai_responses":
            return {t["name"]: t.get("parameters") for t in body.get("tools", [])}
        case "openai_chat" | "cohere":
            return {t["function"]["name"]: t["function"].get("parameters") for t in body.get("tools", [])}
        case "anthropic" | "claude_on_bedrock":
            return {t["name"]: t["input_schema"] for t in body.get("tools", [])}
        case "bedrock_converse":
            specs = [t["toolSpec"] for t in (body.get("toolConfig") or {}).get("tools", []) if "toolSpec" in t]
            return {s["name"]: s["inputSchema"]["json"] for s in specs}
    found = [f for t in body.get("tools", []) for f in t.get("functionDeclarations", [])]
    return {f["name"]: f.get("parametersJsonSchema", f.get("parameters")) for f in found}


def tool_choice(request):
    """ "auto", "none", "any" or ("one", name); None when it is not said."""
    body = request.said
    match request.dialect:
        case "cohere":
            return {"REQUIRED": "any", "NONE": "none"}.get(body.get("tool_choice"))
        case "openai_chat" | "openai_responses":
            choice = body.get("tool_choice")
            return (
                ("one", choice.get("function", choice)["name"])
                if isinstance(choice, dict)
                else {"required": "any"}.get(choice, choice)
            )
        case "bedrock_converse":
            choice = (body.get("toolConfig") or {}).get("toolChoice")
            return ("one", choice["tool"]["name"]) if choice and "tool" in choice else next(iter(choice or {}), None)
        case "anthropic" | "claude_on_bedrock":
            choice = body.get("tool_choice") or {}
            return ("one", choice["name"]) if choice.get("type") == "tool" else choice.get("type")
    choice = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    if choice.get("allowedFunctionNames"):
        return ("one", choice["allowedFunctionNames"][0])
    return choice.get("mode", "").lower() or None


def schema(request):
    """The JSON Schema that the answer must follow, or None."""
    body = request.said
    match request.dialect:
        case "openai_responses":
            return ((body.get("text") or {}).get("format") or {}).get("schema")
        case "openai_chat":
            return ((body.get("response_format") or {}).get("json_schema") or {}).get("schema")
        case "cohere":
            return (body.get("response_format") or {}).get("json_schema")
        case "bedrock_converse":
            form = (body.get("outputConfig") or {}).get("textFormat") or {}
            text = form.get("structure", {}).get("jsonSchema", {}).get("schema")
            return json.loads(text) if text else None
        case "anthropic" | "claude_on_bedrock":
            return ((body.get("output_config") or {}).get("format") or {}).get("schema")
    config = body.get("generationConfig") or {}
    return config.get("responseJsonSchema", config.get("responseSchema"))


def sampling(request):
    """{temperature, top_p, most, stop} as far as they are said."""
    body = request.said
    names = {
        "openai_chat": {
            "temperature": "temperature",
            "top_p": "top_p",
            "max_completion_tokens": "most",
            "max_tokens": "most",
            "stop": "stop",
        },
        "openai_responses": {"temperature": "temperature", "top_p": "top_p", "max_output_tokens": "most"},
        "anthropic": {"temperature": "temperature", "top_p": "top_p", "max_tokens": "most", "stop_sequences": "stop"},
        "cohere": {"temperature": "temperature", "p": "top_p", "max_tokens": "most", "stop_sequences": "stop"},
        "gemini": {"temperature": "temperature", "topP": "top_p", "maxOutputTokens": "most", "stopSequences": "stop"},
    }
    names["claude_on_bedrock"] = names["anthropic"]
    names["bedrock_converse"] = names["gemini"] | {"maxTokens": "most"}
    names = names[request.dialect]
    inside = {"gemini": "generationConfig", "bedrock_converse": "inferenceConfig"}.get(request.dialect)
    source = body.get(inside, {}) if inside else body
    return {ours: source[theirs] for theirs, ours in names.items() if theirs in source}


def reasoning(request):
    """How much the model was asked to think: "high", ("budget", tokens), "on"; None when it was not said."""
    body = request.said
    match request.dialect:
        case "openai_chat":
            return body.get("reasoning_effort")
        case "openai_responses":
            return (body.get("reasoning") or {}).get("effort")
        case "anthropic" | "bedrock_converse":
            fields = body.get("additionalModelRequestFields") or {} if request.dialect == "bedrock_converse" else body
            thinking = fields.get("thinking") or {}
            if thinking.get("type") == "enabled":
                return "budget", thinking["budget_tokens"]
            return (fields.get("output_config") or {}).get("effort") or {"adaptive": "on"}.get(thinking.get("type"))
        case "cohere":
            thinking = body.get("thinking") or {}
            budget = thinking.get("token_budget")
            return ("budget", budget) if budget else "on" if thinking.get("type") == "enabled" else None
    thinking = (body.get("generationConfig") or {}).get("thinkingConfig") or {}
    if "thinkingBudget" in thinking:
        return "budget", thinking["thinkingBudget"]
    return thinking.get("thinkingLevel", "").lower() or None
