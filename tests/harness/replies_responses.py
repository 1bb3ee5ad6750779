"""What a model says in the words of OpenAI's Responses: items, whole and as the ladder of events.
SPDX-License-Identifier: MIT
"""


def items(say):
    from .replies import call_id, dumps

    if say.thinking or say.signature:
        summary = [{"type": "summary_text", "text": say.thinking}] if say.thinking else []
        yield {"id": "rs_scripted1", "type": "reasoning", "summary": summary, "encrypted_content": say.signature or None}
    if say.text or say.refusal:
        text = {"type": "output_text", "text": say.text, "annotations": [], "logprobs": []}
        refusal = {"type": "refusal", "refusal": say.refusal}
        message = {"id": "msg_scripted1", "type": "message", "status": "completed", "role": "assistant"}
        yield message | {"content": [text if say.text else refusal], "phase": "commentary" if say.calls else "final_answer"}
    for i, call in enumerate(say.calls):
        named = {"call_id": call_id("openai_chat", call, i), "name": call.name, "arguments": dumps(call.arguments)}
        yield {"id": f"fc_scripted{i}", "type": "function_call", "status": "completed"} | named


def usage(say):
    total, output = say.input + say.cached + say.written, say.output + say.reasoning
    return {
        "input_tokens": total,
        "input_tokens_details": {"cached_tokens": say.cached, "cache_write_tokens": say.written},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": say.reasoning},
        "total_tokens": total + output,
    }


def whole(say, model):
    reason = {"length": "max_output_tokens", "filter": "content_filter"}.get(say.stop)
    return {
        "id": "resp_scripted1",
        "object": "response",
        "created_at": 1760000000,
        "status": "incomplete" if reason else "completed",
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": list(items(say)),
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage(say),
    }


def ladder(say, model):
    """Every event but for its number."""
    done = whole(say, model)
    begun = done | {"status": "in_progress", "incomplete_details": None, "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for i, item in enumerate(done["output"]):
        at = {"output_index": i, "item_id": item["id"]}
        yield {"type": "response.output_item.added", "output_index": i, "item": opened(item)}
        yield from RUNGS[item["type"]](item, at)
        yield {"type": "response.output_item.done", "output_index": i, "item": item}
    yield {"type": f"response.{done['status']}", "response": done}


def opened(item):
    match item["type"]:
        case "message":
            return item | {"status": "in_progress", "content": []}
        case "reasoning":
            return item | {"summary": [], "encrypted_content": None}
    return item | {"status": "in_progress", "arguments": ""}


def message_rungs(item, at):
    from .replies import pieces_of

    at = at | {"content_index": 0}
    part = item["content"][0]
    name, field, extra = ("output_text", "text", {"logprobs": []}) if "text" in part else ("refusal", "refusal", {})
    yield {"type": "response.content_part.added", "part": part | {field: ""}} | at
    for piece in pieces_of(part[field]):
        yield {"type": f"response.{name}.delta", "delta": piece} | extra | at
    yield {"type": f"response.{name}.done", field: part[field]} | extra | at
    yield {"type": "response.content_part.done", "part": part} | at


def reasoning_rungs(item, at):
    from .replies import pieces_of

    for n, part in enumerate(item["summary"]):
        here = at | {"summary_index": n}
        yield {"type": "response.reasoning_summary_part.added", "part": part | {"text": ""}} | here
        for piece in pieces_of(part["text"]):
            yield {"type": "response.reasoning_summary_text.delta", "delta": piece} | here
        yield {"type": "response.reasoning_summary_text.done", "text": part["text"]} | here
        yield {"type": "response.reasoning_summary_part.done", "part": part} | here


def call_rungs(item, at):
    from .replies import pieces_of

    for piece in pieces_of(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", "delta": piece} | at
    yield {"type": "response.function_call_arguments.done", "arguments": item["arguments"], "name": item["name"]} | at


RUNGS = {"message": message_rungs, "reasoning": reasoning_rungs, "function_call": call_rungs}


def stream(say, model, usage=True):
    from .replies import dumps

    for number, event in enumerate(ladder(say, model)):
        event["sequence_number"] = number
        yield f"event: {event['type']}\ndata: {dumps(event)}\n\n"
