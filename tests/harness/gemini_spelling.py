"""Google's API takes every field in camelCase and in snake_case, and its SDKs send both. SPDX-License-Identifier: MIT"""

import re

# What is inside is the client's own.
OWN = {"args", "response", "parametersJsonSchema", "responseJsonSchema", "_responseJsonSchema", "properties", "labels"}


def camel(value):
    """The same with every field in camelCase."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = [(re.sub(r"(?<=[a-z])_([a-z])", lambda m: m[1].upper(), name), inner) for name, inner in value.items()]
    return {name: inner if name in OWN else camel(inner) for name, inner in named}


def turns(contents):
    """Contents with those of the model that stand behind one another as one: the SDKs keep one for each chunk."""
    out = []
    for content in contents:
        if out and content.get("role") == "model" == out[-1].get("role"):
            out[-1] = out[-1] | {"parts": [*out[-1]["parts"], *content.get("parts", [])]}
        else:
            out.append(content)
    return out
