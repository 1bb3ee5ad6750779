"""Keys with budgets, and what a gateway says of them, for the tests of money. SPDX-License-Identifier: MIT"""

import time

from harness import replies
from harness.gateway import KEYS
from harness.replies import Say

NANO = 1_000_000_000
STEP = 256  # tokens of output that are set aside for a stream at a time
MODELS = {
    "openai_chat": ("openai", "gpt-4o"),
    "openai_responses": ("openai", "gpt-5.6"),
    "anthropic": ("anthropic", "claude-sonnet-4-5"),
    "gemini": ("gemini", "gemini-3-pro-preview"),
    "bedrock_converse": ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    "cohere": ("cohere", "command-a-plus-05-2026"),
}
PLACES = {
    "openai": {"base_url": "{root}/v1", "api_key": KEYS["openai"]},
    "anthropic": {"base_url": "{root}", "api_key": KEYS["claude"]},
    "gemini": {"base_url": "{root}", "api_key": KEYS["gemini"]},
    "bedrock": {"base_url": "{root}", "api_key": KEYS["bedrock"], "aws": {"region": "eu-central-1"}},
    "cohere": {"base_url": "{root}", "api_key": KEYS["cohere"]},
}
MODEL = "gpt-4o"


def secret(name):
    return f"sk-canary-budgets-{name}-0123456789"


def shows(name="a"):
    return [("Authorization", f"Bearer {secret(name)}")]


def month(dollars, **more):
    return {"budgets": [{"per": "month", "dollars": dollars} | more]}


def catalogue(folder, price="input=1 output=10", most=1000, **prices):
    """Every model at dollars per million tokens: a dollar for questions, ten for answers."""
    rows = {f"{vendor}/{model}": price for vendor, model in MODELS.values()} | prices
    file = folder / "prices.txt"
    lines = sorted(f"{name}\tchat\t200000\t{most}\t\ttools\t{price}\n" for name, price in rows.items())
    file.write_text("# sluice models 1\n" + "".join(lines))
    return str(file)


def places(upstream, **more):
    out = {}
    for name, backend in PLACES.items():
        models = [model for vendor, model in MODELS.values() if vendor == name] + ["free-*"]
        out[name] = backend | {"base_url": backend["base_url"].format(root=upstream.url()), "models": models} | more
    return out


def gateway_of_keys(start, upstream, tmp_path):
    """budgeted(keys, groups) -> a gateway with these settings of keys (by name) and groups."""
    upstream.keys = {}

    def begin(keys, groups=(), prices=None, **more):
        listed = [{"name": name, "key": secret(name)} | may for name, may in keys.items()]
        own = {"backends": places(upstream), "keys": listed, "groups": list(groups)}
        return start(own | {"catalogue": catalogue(tmp_path, **(prices or {}))} | more)

    return begin


def always(upstream, **words):
    upstream.default = lambda request: replies.answer(request, Say(**words))


def held_by(gate):
    """A whole answer that comes once the gate is open."""

    def make(request):
        whole = replies.answer(request, Say(text="ok", input=1, output=1))
        return whole.with_(pieces=[gate, *whole.pieces])

    return make


def chat(gateway, name="a", **more):
    body = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]} | more
    return gateway.post("/v1/chat/completions", body, shows(name))


def told(gateway, name, of=None, model=MODEL):
    """What the gateway says of a budget of a key or a group above it, in nano-dollars."""
    reply = gateway.get(f"/admin/api/explain?model={model}&caller={name}", shows(name))
    assert reply.status == 200, reply.text
    (node,) = [node for node in reply.json["allowance"] if node["name"] == (of or name)]
    (budget,) = node["budgets"]
    return {part: round(budget[part] * NANO) for part in ("dollars", "spent", "set_aside")}


def settled(gateway, name="a", of=None, seconds=5.0):
    """What is spent once nothing is under way."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        now = told(gateway, name, of)
        if now["set_aside"] == 0:
            return now["spent"]
        time.sleep(0.01)
    raise AssertionError(f"still set aside: {now}")


def spent_is(gateway, wanted, name="a", of=None, seconds=5.0):
    end = time.monotonic() + seconds
    while (now := settled(gateway, name, of)) != wanted and time.monotonic() < end:
        time.sleep(0.01)
    assert now == wanted
