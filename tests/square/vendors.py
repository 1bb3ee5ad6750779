"""The dialects behind the gateway: one row each. SPDX-License-Identifier: MIT"""

import dataclasses

from harness.gateway import KEYS


@dataclasses.dataclass(frozen=True)
class Vendor:
    name: str  # the dialect
    title: str  # as people know it
    backend: dict  # how the gateway is told of it; {root} stands for the scripted upstream
    model: str
    thinker: str = ""  # the model that thinks, where it is another one
    proof: str = ""  # where it signs its thoughts: "thought", "call"; empty where it does not
    thinks: bool = True  # its thoughts can be read
    counts_thoughts: bool = True  # apart from the rest of the answer

    def thinking_model(self):
        return self.thinker or self.model


def like_openai(dialect):
    return {"type": "openai", "base_url": "{root}/v1", "api_key": KEYS["openai"], "dialects": [dialect]}


ALL = (
    Vendor("openai_chat", "OpenAI Chat", like_openai("openai_chat"), "gpt-4o", thinker="gpt-5", thinks=False),
    Vendor("openai_responses", "OpenAI Responses", like_openai("openai_responses"), "gpt-5.6", proof="thought"),
    Vendor(
        "anthropic",
        "Anthropic Messages",
        {"type": "anthropic", "base_url": "{root}", "api_key": KEYS["claude"]},
        "claude-sonnet-4-5",
        proof="thought",
    ),
    Vendor(
        "gemini",
        "Gemini",
        {"type": "gemini", "base_url": "{root}", "api_key": KEYS["gemini"]},
        "gemini-3-pro-preview",
        proof="call",
    ),
    Vendor(
        "bedrock_converse",
        "Bedrock Converse",
        {"type": "bedrock", "base_url": "{root}", "api_key": KEYS["bedrock"], "aws": {"region": "eu-central-1"}}
        | {"dialects": ["bedrock_converse"]},
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        proof="thought",
        counts_thoughts=False,
    ),
    Vendor(
        "cohere",
        "Cohere",
        {"type": "cohere", "base_url": "{root}", "api_key": KEYS["cohere"], "dialects": ["cohere"]},
        "command-a-plus-05-2026",
    ),
)


def backends(upstream):
    out = {}
    for vendor in ALL:
        models = sorted({vendor.model, vendor.thinking_model()})
        backend = vendor.backend | {"base_url": vendor.backend["base_url"].format(root=upstream.url()), "models": models}
        # Only a backend of that very name is OpenAI itself; another one is a look-alike and is written to with care.
        out["openai" if vendor.name == "openai_chat" else vendor.name.replace("_", "-")] = backend
    return out
