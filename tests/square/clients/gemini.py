"""Google's SDKs, Gen AI. SPDX-License-Identifier: MIT"""

from ..talk import Called, Got

NAME = "gemini"
PACKAGES = {"Python": "google-genai", "Node": "@google/genai"}
CANNOT = {}
STOPS = {"STOP": "end", "MAX_TOKENS": "length", "SAFETY": "filter"}


def words(model, ask):
    parts = [{"text": ask.text}]
    for mime, data in (("image/png", ask.picture), ("application/pdf", ask.document)):
        if data:
            parts.append({"inlineData": {"mimeType": mime, "data": data}})
    roles = {"user": "user", "assistant": "model"}
    contents = [{"role": roles[role], "parts": [{"text": text}]} for role, text in ask.before]
    contents.append({"role": "user", "parts": parts})
    for turn, results in ask.past:
        contents += turn
        told = []
        for call, text in results:
            response = {"name": call.name, "response": {"output": text}} | ({"id": call.id} if call.id else {})
            told.append({"functionResponse": response})
        contents.append({"role": "user", "parts": told})
    config = {"maxOutputTokens": ask.most}
    if ask.system:
        config["systemInstruction"] = ask.system
    if ask.tools:
        declared = [
            {"name": t.name, "description": t.description, "parametersJsonSchema": t.schema} for t in ask.tools
        ]
        config["tools"] = [{"functionDeclarations": declared}]
    if ask.forced:
        config["toolConfig"] = {"functionCallingConfig": {"mode": "ANY"}}
    if ask.effort:
        config["thinkingConfig"] = {"thinkingLevel": ask.effort.upper(), "includeThoughts": True}
    if ask.schema:
        config |= {"responseMimeType": "application/json", "responseJsonSchema": ask.schema}
    return {"model": model, "contents": contents, "config": config}


def heard(chunks):
    """Of a list of replies, which a stream is; a whole reply is a list of one."""
    got = Got()
    for chunk in chunks:
        for candidate in chunk.get("candidates") or []:
            for part in (candidate.get("content") or {}).get("parts") or []:
                if call := part.get("functionCall"):
                    got.calls.append(Called(call["name"], call.get("args") or {}, call.get("id")))
                elif part.get("thought"):
                    got.thinking += part.get("text") or ""
                elif part.get("text"):
                    got.text += part["text"]
                    got.pieces += 1
            if reason := candidate.get("finishReason"):
                got.stop = STOPS[reason]
        if usage := chunk.get("usageMetadata"):
            thoughts = usage.get("thoughtsTokenCount")
            got.usage = {
                "input": usage.get("promptTokenCount"),
                "cached": usage.get("cachedContentTokenCount"),
                "output": (usage.get("candidatesTokenCount") or 0) + (thoughts or 0),
                "reasoning": thoughts,
            }
    if got.calls and got.stop == "end":
        got.stop = "tools"  # this dialect does not tell them apart
    return got


def turn(chunks):
    """As the SDK's chats keep it: one Content for each chunk."""
    return [c["candidates"][0]["content"] for c in chunks if c.get("candidates") and c["candidates"][0].get("content")]


class Python:
    def __init__(self, url, key):
        from google import genai

        self.errors = genai.errors.APIError
        self.sdk = genai.Client(api_key=key, http_options={"base_url": url})

    def whole(self, params):
        reply = self.sdk.models.generate_content(**params)
        headers = {name.lower(): value for name, value in reply.sdk_http_response.headers.items()}
        return heard([plain(reply)]), [reply.candidates[0].content], headers

    def stream(self, params):
        chunks = list(self.sdk.models.generate_content_stream(**params))
        kept = [c.candidates[0].content for c in chunks if c.candidates and c.candidates[0].content]
        return heard([plain(c) for c in chunks]), kept, {}

    def leave(self, params):
        stream = self.sdk.models.generate_content_stream(**params)
        for chunk in stream:
            if chunk.text:
                stream.close()
                return chunk.text

    def told(self, error):
        return {"class": type(error).__name__, "status": error.code, "message": error.message}


def plain(reply):
    return reply.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"sdk_http_response"})
