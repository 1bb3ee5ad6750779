"""What an upstream that speaks OpenAI's Responses says, whole or as its ladder of events.
SPDX-License-Identifier: MIT"""

from . import replies
from .replies import dumps
from .upstream import Answer


def spoken(text="", call=None):
    """An answer for Upstream.answer(), by what the request asks for."""
    items = []
    if text:
        part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        items.append({"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]})
    if call:
        named = {"call_id": "call_1", "name": call.name, "arguments": dumps(call.arguments)}
        items.append({"id": "fc_1", "type": "function_call", "status": "completed"} | named)
    usage = {"input_tokens": 11, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 7}
    usage |= {"output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 18}
    whole = {"id": "resp_1", "object": "response", "created_at": 1760000000, "model": "gpt-5", "error": None}
    whole |= {"incomplete_details": None, "instructions": None, "metadata": {}, "parallel_tool_calls": True}
    whole |= {"tool_choice": "auto", "tools": [], "temperature": 1, "top_p": 1, "status": "completed"}
    whole |= {"output": items, "usage": usage}

    def ladder():
        begun = whole | {"status": "in_progress", "output": [], "usage": None}
        yield {"type": "response.created", "response": begun}
        for i, item in enumerate(items):
            at = {"output_index": i, "item_id": item["id"]}
            empty = {"content": []} if item["type"] == "message" else {"arguments": ""}
            opened = item | empty | {"status": "in_progress"}
            yield {"type": "response.output_item.added", "output_index": i, "item": opened}
            if item["type"] == "message":
                at["content_index"] = 0
                part = item["content"][0]
                yield {"type": "response.content_part.added", "part": part | {"text": ""}} | at
                for piece in replies.pieces_of(part["text"]):
                    yield {"type": "response.output_text.delta", "delta": piece, "logprobs": []} | at
                yield {"type": "response.output_text.done", "text": part["text"], "logprobs": []} | at
                yield {"type": "response.content_part.done", "part": part} | at
            else:
                for piece in replies.pieces_of(item["arguments"]):
                    yield {"type": "response.function_call_arguments.delta", "delta": piece} | at
                done = {"arguments": item["arguments"], "name": item["name"]}
                yield {"type": "response.function_call_arguments.done"} | done | at
            yield {"type": "response.output_item.done", "output_index": i, "item": item}
        yield {"type": "response.completed", "response": whole}

    def answer(request):
        if not request.json.get("stream"):
            return Answer(pieces=[dumps(whole).encode()])
        events = [e | {"sequence_number": n} for n, e in enumerate(ladder())]
        pieces = [f"event: {e['type']}\ndata: {dumps(e)}\n\n".encode() for e in events]
        return Answer(headers=[("Content-Type", "text/event-stream")], framing="chunked", pieces=pieces)

    return answer
