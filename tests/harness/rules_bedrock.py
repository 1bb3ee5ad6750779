"""What AWS Bedrock refuses: requests that do not fit botocore's model of the service, turns out of order, what a model
does not take, and signatures that do not fit. SPDX-License-Identifier: MIT
"""

import datetime
import functools
import re
import urllib.parse

from . import rules_anthropic

try:
    import botocore.session
except ImportError:  # without it only the rules below are looked at
    botocore = None

ACCESS_KEY = "AKIACANARYEXAMPLE000"
SECRET_KEY = "canary/secret+of+aws/EXAMPLEKEY0000000000"
NAME = re.compile(r"^[A-Za-z0-9 ()\[\]-]+$")


def model_of(request):
    return urllib.parse.unquote(request.path.split("/model/", 1)[1].rsplit("/", 1)[0])


# -- the schema


@functools.cache
def _shape(name):
    return botocore.session.get_session().get_service_model("bedrock-runtime").shape_for(name)


def misfit(value, shape, place=""):
    """Why `value` is none of `shape`, or None."""
    match shape.type_name:
        case "structure":
            if getattr(shape, "is_document_type", False):
                return None
            if not isinstance(value, dict):
                return f"{place}: not an object"
            if missing := [n for n in shape.required_members if n not in value]:
                return f"{place}.{missing[0]}: is required"
            if getattr(shape, "is_tagged_union", False) and len(value) != 1:
                return f"{place}: exactly one member must be set, not {sorted(value)}"
            for name, inner in value.items():
                if name not in shape.members:
                    return f"{place}: extraneous key [{name}] is not permitted"
                if why := misfit(inner, shape.members[name], f"{place}.{name}"):
                    return why
        case "list":
            if not isinstance(value, list):
                return f"{place}: not a list"
            if why := _length(value, shape, place):
                return why
            return next((w for i, v in enumerate(value) if (w := misfit(v, shape.member, f"{place}.{i}"))), None)
        case "map":
            if not isinstance(value, dict):
                return f"{place}: not a map"
            pairs = [(v, shape.value) for v in value.values()] + [(k, shape.key) for k in value]
            return next((w for v, s in pairs if (w := misfit(v, s, place))), None) or _length(value, shape, place)
        case "string" | "blob":
            if not isinstance(value, str):
                return f"{place}: not a text"
            if shape.type_name == "string" and (allowed := getattr(shape, "enum", None)) and value not in allowed:
                return f"{place}: {value!r} is none of {allowed}"
            pattern = shape.metadata.get("pattern")
            if shape.type_name == "string" and pattern and not re.fullmatch(pattern, value):
                return f"{place}: {value!r} does not match {pattern}"
            return _length(value, shape, place)
        case "boolean":
            return None if isinstance(value, bool) else f"{place}: not a boolean"
        case _:  # numbers
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                return f"{place}: not a number"
            least, most = shape.metadata.get("min"), shape.metadata.get("max")
            if (least is not None and value < least) or (most is not None and value > most):
                return f"{place}: {value} is not between {least} and {most}"
    return None


def _length(value, shape, place):
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(value) < least or (most is not None and len(value) > most):
        return f"{place}: its length {len(value)} is not between {least} and {most}"
    return None


# -- Converse


def check(body, request, issued):
    if botocore is not None:
        if why := misfit(body | {"modelId": model_of(request)}, _shape("ConverseRequest"), "request"):
            return why
    for rule in (turns, tools, claude):
        if why := rule(body, model_of(request), issued):
            return why
    return None


def turns(body, model, issued):
    last, calls = None, []
    if not body.get("messages") or body["messages"][0]["role"] != "user":
        return "A conversation must start with a user message."
    for i, message in enumerate(body["messages"]):
        role, content = message["role"], message["content"]
        if role == last:
            return f"messages.{i}: roles must alternate"
        last = role
        if not content:
            return f"The content field in the Message object at messages.{i} is empty."
        results = [b["toolResult"]["toolUseId"] for b in content if "toolResult" in b]
        if set(results) != set(calls) or len(results) != len(set(results)):
            return f"messages.{i}: results {results} for the calls {calls}"
        calls = [b["toolUse"]["toolUseId"] for b in content if "toolUse" in b]
        if why := next((w for j, b in enumerate(content) if (w := block(b, role, f"messages.{i}.content.{j}"))), None):
            return why
        if any("document" in b for b in content) and not any("text" in b for b in content):
            return f"messages.{i}: a document needs a text block beside it"
        for b in content:
            proof = b.get("reasoningContent", {}).get("reasoningText", {}).get("signature")
            if proof is not None and proof not in issued.signatures:
                return f"messages.{i}: Invalid signature in thinking block"
    names = [b["document"]["name"] for m in body["messages"] for b in m["content"] if "document" in b]
    if len(names) != len(set(names)):
        return "documents with the same name"
    return "unanswered tool calls" if calls else None


def block(b, role, place):
    if "text" in b and not b["text"].strip():
        return f"The text field in the ContentBlock object at {place} is blank."
    if role == "assistant" and any(kind in b for kind in ("image", "document", "video", "toolResult")):
        return f"{place}: not in an assistant message"
    if role == "user" and ("toolUse" in b or "reasoningContent" in b):
        return f"{place}: not in a user message"
    if "document" in b and (not NAME.match(b["document"]["name"]) or "  " in b["document"]["name"]):
        return f"{place}: the document's name is not allowed"
    if "toolUse" in b and not isinstance(b["toolUse"]["input"], dict):
        return f"{place}: provide a json object for the field toolUse.input"
    for item in b.get("toolResult", {}).get("content", []):
        if "json" in item and not isinstance(item["json"], dict):
            return f"{place}: provide a json object for the field json"
    return None


def tools(body, model, issued):
    used = any("toolUse" in b or "toolResult" in b for m in body["messages"] for b in m["content"])
    config = body.get("toolConfig")
    if used and not config:
        return "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    if config and not any("toolSpec" in t or "systemTool" in t for t in config["tools"]):
        return "toolConfig.tools: no tool"
    for tool in (config or {}).get("tools", []):
        schema = tool.get("toolSpec", {}).get("inputSchema", {}).get("json", {"type": "object"})
        if schema.get("type") != "object":
            return "toolConfig.tools: inputSchema.json.type must be object"
    choice = (config or {}).get("toolChoice", {})
    if ("any" in choice or "tool" in choice) and "meta.llama" in model:
        return "This model doesn't support the toolConfig.toolChoice field."
    return None


def claude(body, model, issued):
    fields, inference = body.get("additionalModelRequestFields") or {}, body.get("inferenceConfig") or {}
    if "claude" not in model:
        wrong = [name for name in ("thinking", "anthropic_beta", "output_config") if name in fields]
        return f"extraneous key [{wrong[0]}] is not permitted" if wrong else None
    thinking = fields.get("thinking") or {}
    if thinking.get("type") == "enabled":
        if inference.get("maxTokens", 4096) <= thinking["budget_tokens"]:
            return "max_tokens must be greater than thinking.budget_tokens"
        if "temperature" in inference and inference["temperature"] != 1:
            return "temperature may only be set to 1 when thinking is enabled"
        if set((body.get("toolConfig") or {}).get("toolChoice") or {"auto"}) != {"auto"}:
            return "Thinking may not be enabled when tool_choice forces tool use."
    return None


# -- InvokeModel with Claude


class _AsThere:
    """The request as the vendor's own address would get it."""

    def __init__(self, request):
        self._request = request

    def header(self, name, default=None):
        return "2023-06-01" if name == "anthropic-version" else self._request.header(name, default)


def check_claude(body, request, issued):
    for name in ("model", "stream"):
        if name in body:
            return f"{name}: Extra inputs are not permitted"
    if body.get("anthropic_version") != "bedrock-2023-05-31":
        return "anthropic_version: Field required"
    if request.header("anthropic-beta") or request.header("anthropic-version"):
        return "a field of the head that belongs into the body"
    model = model_of(request)
    if "claude" not in model:
        return "Malformed input request: this model is none of Anthropic's"
    rest = {k: v for k, v in body.items() if k not in ("anthropic_version", "anthropic_beta")}
    return rules_anthropic.check(rest | {"model": model}, _AsThere(request), issued)


# -- who asks


def credential(request):
    """The bearer's key, or the access key id when the signature is right; None otherwise."""
    given = request.header("authorization", "")
    if given.startswith("Bearer "):
        return given.removeprefix("Bearer ")
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([a-z0-9-]+)/bedrock/aws4_request, "
        r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})",
        given,
    )
    if not found or botocore is None:
        return None
    key_id, day, region, signed, signature = found.groups()
    stamp = request.header("x-amz-date", "")
    sent = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    late = abs((datetime.datetime.now(datetime.timezone.utc) - sent).total_seconds())
    if not stamp.startswith(day) or late > 300:
        return None
    return key_id if signature == _signature(request, region, signed.split(";"), stamp) else None


def _signature(request, region, signed, stamp):
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    auth = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "bedrock", region)
    url = f"http://{request.header('host')}{request.target}"
    headers = {name: request.header(name) for name in signed}
    asked = AWSRequest(method=request.method, url=url, data=request.body, headers=headers)
    asked.context["timestamp"] = stamp
    return auth.signature(auth.string_to_sign(asked, auth.canonical_request(asked)), asked)
