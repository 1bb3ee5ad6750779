"""What generativelanguage.googleapis.com refuses in a generateContent. SPDX-License-Identifier: MIT"""

import re

DATA = ("text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult")
SENTINELS = {"skip_thought_signature_validator", "context_engineering_is_the_way_to_go"}
FUNCTION = re.compile(r"^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$")


def check(body, request, issued):
    from .replies import model_of

    model = model_of(request)
    if "key=" in request.target:
        return "the key stands in the address"
    if request.streams and "alt=sse" not in request.target:
        return "the stream is not asked for as SSE"
    for rule in (generation, declarations, contents, signatures):
        if why := rule(body, model, issued):
            return why
    return None


def version(model):
    from .vendor_rules import version_of

    return version_of(model, "gemini-") or (9, 0)


def generation(body, model, issued):
    config = body.get("generationConfig") or {}
    thinking = config.get("thinkingConfig") or {}
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        return "You can only set only one of thinking budget and thinking level."
    level, budget = thinking.get("thinkingLevel"), thinking.get("thinkingBudget")
    if level and version(model) < (3, 0):
        return "Thinking level is not supported for this model."
    if budget is not None and version(model) >= (3, 5):
        return "Thinking budget is not supported for this model."
    if budget == 0 and "pro" in model:
        return "Budget 0 is invalid. This model only works in thinking mode."
    if budget is not None and "2.5" in model:
        least, most = (128, 32768) if "pro" in model else (512, 24576) if "lite" in model else (0, 24576)
        if budget not in (-1, 0) and not least <= budget <= most:
            return f"The thinking budget {budget} is invalid. Please choose a value between {least} and {most}."
    if "responseSchema" in config and ("responseJsonSchema" in config or "_responseJsonSchema" in config):
        return "only one of response_schema and response_json_schema may be set"
    if ("responseSchema" in config or "responseJsonSchema" in config) and config.get(
        "responseMimeType"
    ) != "application/json":
        return "a response schema needs response_mime_type application/json"
    if len(config.get("stopSequences", [])) > 5:
        return "at most 5 stop sequences"
    functions = any("functionDeclarations" in tool for tool in body.get("tools", []))
    if functions and config.get("responseMimeType") == "application/json" and version(model) < (3, 0):
        return "Function calling with a response mime type: 'application/json' is unsupported"
    return None


def declarations(body, model, issued):
    for tool in body.get("tools", []):
        for function in tool.get("functionDeclarations", []):
            if not FUNCTION.match(function.get("name", "")):
                return f"Invalid function name {function.get('name')!r}"
            if "parameters" in function and "parametersJsonSchema" in function:
                return "only one of parameters and parameters_json_schema may be set"
            if "$schema" in str(function):
                return 'Unknown name "$schema"'
    choice = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    if choice.get("allowedFunctionNames") and choice.get("mode") not in ("ANY", "VALIDATED"):
        return "allowed_function_names need mode ANY"
    return None


def contents(body, model, issued):
    turns = body.get("contents") or []
    if not turns:
        return "contents is not specified"
    for i, turn in enumerate(turns):
        if turn.get("role", "user") not in ("user", "model"):
            return f"contents[{i}]: Please use a valid role: user, model."
        parts = turn.get("parts") or []
        if not parts:
            return f"contents[{i}]: must include at least one parts field"
        for j, part in enumerate(parts):
            kinds = [name for name in DATA if name in part]
            if len(kinds) != 1:
                return f"contents[{i}].parts[{j}]: data must have one initialized field, not {kinds}"
            # What a stream ends with comes back from the SDKs' own chats.
            if part.get("text") == "" and "thoughtSignature" not in part and turn.get("role") != "model":
                return f"contents[{i}].parts[{j}]: empty text"
            if "functionResponse" in part and not isinstance(part["functionResponse"].get("response"), dict):
                return f"contents[{i}].parts[{j}]: function_response.response must be an object"
        asked = [p["functionCall"]["name"] for p in parts if "functionCall" in p]
        if asked:
            if i == 0 or turns[i - 1].get("role", "user") != "user":
                return "function call turn comes immediately after a user turn or after a function response turn"
            if i + 1 < len(turns):
                given = [p["functionResponse"]["name"] for p in turns[i + 1]["parts"] if "functionResponse" in p]
                if given != asked:
                    return f"function response parts {given} must equal the function call parts {asked}"
        elif any("functionResponse" in p for p in parts):
            if i == 0 or not any("functionCall" in p for p in turns[i - 1]["parts"]):
                return "function response turn comes immediately after a function call turn"
            if ids(turns[i - 1], "functionCall") != ids(turn, "functionResponse"):
                return f"contents[{i}]: the ids of function calls and responses differ"
    system = body.get("systemInstruction")
    if system is not None and not all(p.get("text") for p in system.get("parts") or [{}]):
        return "systemInstruction: empty text"
    return None


def ids(turn, kind):
    """Clients may make ids of their own (recorded traffic does), but call and response must agree."""
    return [p[kind].get("id") for p in turn["parts"] if kind in p]


def signatures(body, model, issued):
    """Gemini 3 and later want the proof on the first call of each step of the current turn."""
    turns = body["contents"]
    spoken = [
        i
        for i, t in enumerate(turns)
        if t.get("role") != "model" and any("functionResponse" not in p for p in t["parts"])
    ]
    current = spoken[-1] if spoken else 0
    for i, turn in enumerate(turns):
        calls = [p for p in turn["parts"] if "functionCall" in p]
        for part in turn["parts"]:
            proof = part.get("thoughtSignature")
            plain = (proof or "").replace("-", "+").replace("_", "/")  # the SDKs write it in the other alphabet
            if proof is not None and not {proof, plain} & (issued.signatures | SENTINELS):
                return f"contents[{i}]: Corrupted thought signature."
        if calls and i > current and version(model) >= (3, 0) and "thoughtSignature" not in calls[0]:
            return "Function call is missing a thought_signature in functionCall parts."
    return None
