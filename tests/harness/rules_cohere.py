"""What api.cohere.com refuses in a chat request. No schema is published: the official SDK's own types are it, read here
as strictly as they are written. SPDX-License-Identifier: MIT
"""

import functools
import inspect
import typing

try:
    import cohere
    import pydantic
except ImportError:  # without it only the rules below are looked at
    cohere = None


def check(body, request, issued):
    for rule in (shape, bounds, tools, turns):
        if why := rule(body):
            return why
    return None


@functools.cache
def _members():
    """{name: (annotation, required)} of the call that every request is."""
    from cohere.v2.client import V2Client

    hints = typing.get_type_hints(V2Client.chat)
    parameters = inspect.signature(V2Client.chat).parameters
    found = {
        name: (hints[name], p.default is inspect.Parameter.empty)
        for name, p in parameters.items()
        if p.kind is inspect.Parameter.KEYWORD_ONLY and name != "request_options"
    }
    return found | {"stream": (typing.Optional[bool], False)}


def shape(body):
    if cohere is None:
        return None
    members = _members()
    for name, (_, required) in members.items():
        if required and name not in body:
            return f"{name} is required"
    for name, value in body.items():
        if name not in members:
            return f"unknown field: parameter '{name}' is not a valid field"
        if why := misfit(value, members[name][0], name):
            return why
    return None


def misfit(value, kind, place):
    """Why `value` is none of `kind`, or None."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return misfit(value, arguments[0], place)
    if origin is typing.Union:
        # "or anything" is the generator's care for words to come.
        kinds = [k for k in arguments if k is not typing.Any]
        reasons = [misfit(value, k, place) for k in kinds]
        return None if None in reasons else min(reasons, key=lambda why: -len(why))
    if kind is typing.Any:
        return None
    if origin is typing.Literal:
        return None if value in arguments else f"{place}: {value!r} is none of {arguments}"
    if isinstance(origin, type) and issubclass(origin, dict):
        return None if isinstance(value, dict) else f"{place}: not an object"
    if origin is not None:  # list, Sequence
        if not isinstance(value, list):
            return f"{place}: not a list"
        return next((w for i, v in enumerate(value) if (w := misfit(v, arguments[0], f"{place}[{i}]"))), None)
    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        return _model(value, kind, place)
    if kind is float:
        kind = (int, float)
    if kind is type(None):
        return None if value is None else f"{place}: not null"
    fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    return None if fits else f"{place}: {str(value)[:60]!r} is no {kind}"


def _model(value, kind, place):
    if not isinstance(value, dict):
        return f"{place}: not an object"
    for name, field in kind.model_fields.items():
        if name not in value:
            if field.is_required() or name in ("role", "type"):
                return f"{place}.{name} is required"
        elif why := misfit(value[name], field.annotation, f"{place}.{name}"):
            return why
    unknown = set(value) - set(kind.model_fields)
    return f"{place}: unknown field {sorted(unknown)[0]!r}" if unknown else None


BOUNDS = {"p": (0.01, 0.99), "k": (0, 500), "frequency_penalty": (0, 1), "presence_penalty": (0, 1), "temperature": (0, 9)}


def bounds(body):
    for name, (least, most) in BOUNDS.items():
        if name in body and not least <= body[name] <= most:
            return f"{name} must be between {least} and {most}"
    if len(body.get("stop_sequences", [])) > 5:
        return "too many stop sequences: at most 5"
    beside = [name for name in ("tools", "documents") if body.get(name)]
    if beside and (body.get("response_format") or {}).get("type") == "json_object":
        return f"response_format is not supported with {beside[0]}"
    if body.get("thinking", {}).get("type") == "enabled" and body.get("model", "").startswith("command-r"):
        return "thinking is not supported by this model"
    return None


def tools(body):
    if "tool_choice" in body and not body.get("tools"):
        return "tool_choice needs tools"
    if body.get("strict_tools") and not body.get("tools"):
        return "strict_tools needs tools"
    return None


def turns(body):
    open_calls = set()
    for i, message in enumerate(body.get("messages", [])):
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                return f"messages[{i}]: no tool call has the id {message['tool_call_id']!r}"
            open_calls.discard(message["tool_call_id"])
            continue
        if open_calls:
            return f"messages[{i}]: the tool calls {sorted(open_calls)} have no results"
        if message["role"] == "assistant":
            if not (message.get("content") or message.get("tool_calls")):
                return f"messages[{i}]: an assistant message needs content or tool_calls"
            open_calls = {call["id"] for call in message.get("tool_calls") or []}
        elif not message.get("content"):
            return f"messages[{i}]: a message must be at least 1 token long"
    return None
