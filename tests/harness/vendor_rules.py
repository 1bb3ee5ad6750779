"""What the real vendors refuse beyond their published schemas: order of turns, pairing of tool calls, signatures,
parameters that a model does not take, keys. judge() answers a bad request as the vendor would and notes the violation.
SPDX-License-Identifier: MIT
"""

import base64
import binascii
import json
import re

from . import (
    rules_anthropic,
    rules_bedrock,
    rules_cohere,
    rules_gemini,
    rules_openai,
    rules_responses,
    vendor_schema,
)
from .gemini_spelling import camel, turns

RULES = {
    "openai_chat": rules_openai.check,
    "openai_responses": rules_responses.check,
    "anthropic": rules_anthropic.check,
    "gemini": rules_gemini.check,
    "cohere": rules_cohere.check,
    "bedrock_converse": rules_bedrock.check,
    "claude_on_bedrock": rules_bedrock.check_claude,
    "openai_completions": lambda body, request, issued: None,  # the schema says it all
}


class Issued:
    """Proofs that the scripted models gave out: no others may come back."""

    def __init__(self):
        self.signatures = set()

    def learn(self, say):
        self.signatures |= {s for s in [say.signature, *(c.signature for c in say.calls)] if s}


def judge(upstream, request):
    """None when the vendor would take it, else the Answer that it would give. Called with the upstream's lock held."""
    from . import replies

    dialect = request.dialect
    key = upstream.keys.get(dialect)
    if key is not None and presented_key(request) != key:
        upstream.violations.append(f"{dialect}: the key presented is {presented_key(request)!r}")
        return replies.error(dialect, 401, "invalid key")
    try:
        body = parse_strictly(request.body)
    except ValueError as broken:
        upstream.violations.append(f"{dialect}: the body is no JSON: {broken}")
        return replies.error(dialect, 400, f"could not parse the JSON body: {broken}")
    if not upstream.strict:
        return None
    why = None
    if not isinstance(body, dict):
        why = "the body is no object"
    content_type = request.header("content-type", "")
    if content_type.split(";")[0].strip() != "application/json":
        why = f"content-type is {content_type!r}"
    if why is None and dialect == "gemini":
        body = camel(body)
        if not request.counts:
            body["contents"] = turns(body.get("contents") or [])
    beta = bool(request.header("anthropic-beta"))
    if request.counts:
        why = why or vendor_schema.complaint(dialect, body, beta=beta, counts=True)
    else:
        why = why or RULES[dialect](body, request, upstream.issued)
        why = why or vendor_schema.complaint(dialect, body, beta=beta)
    if why is None:
        return None
    upstream.violations.append(f"{dialect}: {why}\n    in {json.dumps(body)[:2000]}")
    return replies.error(dialect, 400, why)


def presented_key(request):
    if request.dialect == "anthropic" and request.header("x-api-key"):
        return request.header("x-api-key")
    if request.dialect == "gemini":
        return request.header("x-goog-api-key")
    if "bedrock" in request.dialect:
        return rules_bedrock.credential(request)
    bearer = request.header("authorization", "")
    return bearer.removeprefix("Bearer ") if bearer else None


def parse_strictly(data):
    def once(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise ValueError(f"a member stands twice among {names}")
        return dict(pairs)

    return json.loads(data.decode("utf-8"), object_pairs_hook=once)


def is_base64(text):
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


TOOL_NAME = re.compile(r"^[A-Za-z0-9_-]{1,64}$")


def version_of(model, family):
    """claude-opus-4-6 -> (4, 6), gpt-5.4-mini -> (5, 4); None when it tells none."""
    found = re.search(family + r"(\d+)(?:[.-](\d{1,2})(?!\d))?", model)
    return (int(found[1]), int(found[2] or 0)) if found else None
