"""The vendors' published request schemas as JSON Schema validators. They lie in SLUICE_SHARED/specs; without that
folder nothing is checked here, and the run says so.
SPDX-License-Identifier: MIT
"""

import functools
import json
import os
import pathlib

try:
    import jsonschema
except ImportError:  # Debian: python3-jsonschema
    jsonschema = None

_shared = os.environ.get("SLUICE_SHARED")
SPECS = pathlib.Path(_shared) / "specs" if _shared else None


def available():
    return jsonschema is not None and SPECS is not None and (SPECS / "openai-openapi.json").exists()


def complaint(dialect, body, beta=False, counts=False):
    """What the schema says against `body`, or None; `counts`: of the call that counts tokens."""
    # Cohere's types are its SDK's, AWS's are botocore's: rules_cohere.py, rules_bedrock.py.
    if not available() or dialect == "cohere" or "bedrock" in dialect:
        return None
    if counts:
        validator = _counting(dialect, beta)
    else:
        validators = {
            "openai_chat": _openai,
            "openai_responses": _responses,
            "openai_completions": _openai_completions,
            "anthropic": _anthropic_beta if beta else _anthropic,
            "gemini": _gemini,
        }
        validator = validators[dialect]()
    fault = jsonschema.exceptions.best_match(validator.iter_errors(body))
    if fault is None:
        return None
    while fault.context:  # the innermost reason says more than "is not valid under any"
        deeper = jsonschema.exceptions.best_match(fault.context)
        if deeper is None or len(list(deeper.absolute_path)) < len(list(fault.absolute_path)):
            break
        fault = deeper
    return f"{fault.json_path}: {fault.message[:300]}"


def _open(node):
    """OpenAPI's own words in JSON Schema's: nullable, and oneOf without its claim of exclusiveness."""
    if isinstance(node, list):
        return [_open(item) for item in node]
    if not isinstance(node, dict):
        return node
    out = {("anyOf" if key == "oneOf" else key): _open(value) for key, value in node.items()}
    if out.get("nullable") is True:
        out = {"anyOf": [{key: value for key, value in out.items() if key != "nullable"}, {"type": "null"}]}
    return out


def _load(name):
    return json.loads((SPECS / name).read_text())


def _validator(components, name, closed=None):
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": components}}
    if closed is not None:
        schema["propertyNames"] = {"enum": sorted(closed)}
    return jsonschema.Draft202012Validator(schema)


def _properties(components, node):
    """The names of every member that an allOf tree allows."""
    if "$ref" in node:
        node = components[node["$ref"].rsplit("/", 1)[1]]
    names = set(node.get("properties", {}))
    for part in node.get("allOf", []):
        names |= _properties(components, part)
    return names


# Members that the fact sheets know and the published description does not yet.
OPENAI_NEWER = {"prompt_cache_options", "moderation", "safety_identifier", "prompt_cache_key", "verbosity"}


@functools.cache
def _openai_components():
    components = _open(_load("openai-openapi.json")["components"]["schemas"])
    # What the vendor does not insist on: its own guides and clients leave it out.
    for name, spare in (
        ("InputImageContent", ["detail"]),
        ("ReasoningItem", ["id"]),
        ("OutputMessage", ["id", "status", "type"]),
        ("OutputTextContent", ["annotations", "logprobs"]),
    ):
        components[name]["required"] = [member for member in components[name]["required"] if member not in spare]
    return components


def _closed(root):
    components = _openai_components()
    return _validator(components, root, _properties(components, components[root]) | OPENAI_NEWER)


@functools.cache
def _openai():
    return _closed("CreateChatCompletionRequest")


@functools.cache
def _responses():
    return _closed("CreateResponse")


@functools.cache
def _openai_completions():
    components = _openai_components()
    return _validator(components, "CreateCompletionRequest", _properties(components, components["CreateCompletionRequest"]))


@functools.cache
def _anthropic_components():
    components = _open(_load("anthropic-openapi.json")["components"]["schemas"])
    for prefix in ("", "Beta"):
        adaptive = components[f"{prefix}ThinkingConfigAdaptive"]["properties"]
        adaptive["block_binding"] = {"type": "object"}
        between = {"type": "object", "properties": {"type": {"const": "between_tools"}}, "required": ["type"]}
        config = components[f"{prefix}ThinkingConfigParam"]
        config["anyOf"] = [*config.get("anyOf", []), between]
    return components


@functools.cache
def _anthropic():
    return _validator(_anthropic_components(), "CreateMessageParams")


@functools.cache
def _anthropic_beta():
    return _validator(_anthropic_components(), "BetaCreateMessageParams")


def _discovery(node):
    """A Google discovery schema as JSON Schema: closed objects, integers that may be text, any."""
    if "$ref" in node:
        return {"$ref": f"#/components/schemas/{node['$ref']}"}
    kind, form = node.get("type"), node.get("format")
    if kind == "any":
        return {}
    if kind == "object":
        out = {"type": "object", "additionalProperties": False}
        if "properties" in node:
            out["properties"] = {name: _discovery(value) for name, value in node["properties"].items()}
        if "additionalProperties" in node:
            out["additionalProperties"] = _discovery(node["additionalProperties"])
        return out
    if kind == "array":
        return {"type": "array", "items": _discovery(node["items"])}
    if form in ("int32", "int64", "uint32", "uint64"):
        return {"type": ["integer", "string"]}
    if "enum" in node:  # old clients write enums in lower case, and are understood
        return {"type": kind, "enum": node["enum"] + [word.lower() for word in node["enum"]]}
    return {"type": kind}


@functools.cache
def _gemini():
    components = {name: _discovery(node) for name, node in _load("gemini-v1beta-discovery.json")["schemas"].items()}
    return _validator(components, "GenerateContentRequest")


@functools.cache
def _counting(dialect, beta):
    if dialect == "anthropic":
        components = _anthropic_components()
        name = "BetaCountMessageTokensParams" if beta else "CountMessageTokensParams"
        return _validator(components, name, _properties(components, components[name]))
    if dialect == "gemini":
        components = {name: _discovery(node) for name, node in _load("gemini-v1beta-discovery.json")["schemas"].items()}
        return _validator(components, "CountTokensRequest")
    components = _open(_load("openai-openapi.json")["components"]["schemas"])
    return _validator(components, "TokenCountsBody", _properties(components, components["TokenCountsBody"]))
