"""The official OpenAI SDKs behind one small set of operations, so that one test speaks through both: Python in this
process, Node in a child that takes one JSON line per operation (node/driver.mjs).

Operations: chat, stream, helper (the SDK's own accumulating stream), parse (structured output), leave (go away in the
middle), models, run_tools (Node). Each gives an Outcome.
SPDX-License-Identifier: MIT
"""

import dataclasses
import json
import os
import pathlib
import queue
import shutil
import subprocess
import threading
import time

HERE = pathlib.Path(__file__).resolve().parents[1]


@dataclasses.dataclass
class Outcome:
    completion: dict | None = None
    chunks: list = dataclasses.field(default_factory=list)
    parsed: dict | None = None
    headers: dict = dataclasses.field(default_factory=dict)
    error: dict | None = None
    models: list = dataclasses.field(default_factory=list)
    seconds: float = 0.0

    @property
    def message(self):
        assert self.error is None, self.error
        return self.completion["choices"][0]["message"]

    @property
    def text(self):
        """The text, whole or put together from the chunks."""
        if self.completion is not None:
            return self.message.get("content")
        return "".join(c["choices"][0]["delta"].get("content") or "" for c in self.chunks if c["choices"])

    @property
    def finish(self):
        if self.completion is not None:
            return self.completion["choices"][0]["finish_reason"]
        reasons = [
            c["choices"][0]["finish_reason"]
            for c in self.chunks
            if c["choices"] and c["choices"][0].get("finish_reason")
        ]
        return reasons[0] if len(reasons) == 1 else reasons

    @property
    def usage(self):
        if self.completion is not None:
            return self.completion["usage"]
        found = [c["usage"] for c in self.chunks if c.get("usage")]
        assert len(found) <= 1, f"usage came {len(found)} times"
        return found[0] if found else None

    @property
    def calls(self):
        """[(name, arguments, id)], whole or put together by index."""
        if self.completion is not None:
            found = self.message.get("tool_calls") or []
            return [(c["function"]["name"], json.loads(c["function"]["arguments"]), c["id"]) for c in found]
        open_calls = {}
        for chunk in self.chunks:
            for delta in (chunk["choices"][0]["delta"].get("tool_calls") or []) if chunk["choices"] else []:
                call = open_calls.setdefault(delta["index"], {"name": "", "arguments": "", "id": ""})
                call["id"] += delta.get("id") or ""
                call["name"] += (delta.get("function") or {}).get("name") or ""
                call["arguments"] += (delta.get("function") or {}).get("arguments") or ""
        assert list(open_calls) == list(range(len(open_calls))), f"tool indices {list(open_calls)}"
        return [(c["name"], json.loads(c["arguments"]), c["id"]) for c in open_calls.values()]


class PythonSdk:
    name = "python"

    def __init__(self):
        import openai

        self.openai = openai
        self.version = openai.__version__

    def close(self):
        pass

    def _client(self, base_url, options):
        words = {"api_key": options.get("api_key", "dummy-key"), "base_url": base_url + "/v1"}
        words |= {name: options[name] for name in ("max_retries", "timeout") if name in options}
        return self.openai.OpenAI(default_headers=options.get("headers"), **({"max_retries": 0} | words))

    def run(self, operation, base_url, params=None, **options):
        outcome, began = Outcome(), time.monotonic()
        with self._client(base_url, options) as client:
            try:
                getattr(self, "_" + operation)(client, params, options, outcome)
            except self.openai.APIError as e:
                outcome.error = self._error(e)
        outcome.seconds = time.monotonic() - began
        return outcome

    def _error(self, e):
        response = getattr(e, "response", None)
        return {
            "class": type(e).__name__,
            "status": getattr(e, "status_code", None),
            "code": e.code,
            "type": e.type,
            "param": e.param,
            "message": e.message,
            "request_id": getattr(e, "request_id", None),
            "headers": dict(response.headers) if response is not None else {},
        }

    def _chat(self, client, params, options, outcome):
        reply = client.chat.completions.with_raw_response.create(**params)
        outcome.headers = dict(reply.headers)
        outcome.completion = reply.parse().model_dump(mode="json", exclude_unset=True)

    def _stream(self, client, params, options, outcome):
        reply = client.chat.completions.with_raw_response.create(stream=True, **params)
        outcome.headers = dict(reply.headers)
        for chunk in reply.parse():
            outcome.chunks.append(chunk.model_dump(mode="json", exclude_unset=True))

    def _helper(self, client, params, options, outcome):
        with client.chat.completions.stream(**params) as stream:
            for _ in stream:
                pass
            outcome.completion = stream.get_final_completion().model_dump(mode="json")

    def _parse(self, client, params, options, outcome):
        import pydantic

        class City(pydantic.BaseModel):
            name: str
            population: int
            rivers: list[str]

        reply = client.chat.completions.parse(response_format=City, **params)
        outcome.completion = reply.model_dump(mode="json", warnings=False)
        outcome.parsed = reply.choices[0].message.parsed.model_dump()

    def _leave(self, client, params, options, outcome):
        """Streams: leaves after options['after'] chunks. Whole: is aborted by a timeout of 'timeout' seconds."""
        if not params.get("stream"):
            return self._chat(client, params, options, outcome)
        with client.chat.completions.create(**params) as stream:
            for chunk in stream:
                outcome.chunks.append(chunk.model_dump(mode="json", exclude_unset=True))
                if len(outcome.chunks) == options["after"]:
                    break

    def _models(self, client, params, options, outcome):
        outcome.models = [m.id for m in client.models.list()]


class NodeSdk:
    name = "node"

    def __init__(self):
        node = HERE / "node_modules/node/bin/node"
        program = str(node) if node.exists() else shutil.which("node")
        env = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}
        self.child = subprocess.Popen(
            [program, str(HERE / "node/driver.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE,
            env=env,
        )
        self.answers, self.asked = queue.Queue(), 0
        threading.Thread(target=self._listen, daemon=True).start()
        self.version = self.answers.get(timeout=20)["version"]

    def _listen(self):
        for line in self.child.stdout:
            self.answers.put(json.loads(line))

    def run(self, operation, base_url, params=None, **options):
        self.asked += 1
        ask = {"id": self.asked, "operation": operation, "base_url": base_url, "params": params}
        began = time.monotonic()
        self.child.stdin.write(json.dumps(ask | {"options": {"max_retries": 0} | options}) + "\n")
        self.child.stdin.flush()
        answer = {}
        while answer.get("id") != self.asked:  # an operation that an earlier test gave up may answer late
            answer = self.answers.get(timeout=40)
        assert "crash" not in answer, answer
        del answer["id"]
        return Outcome(**answer, seconds=time.monotonic() - began)

    def close(self):
        self.child.stdin.close()
        self.child.wait(10)


def missing(name):
    """Why an SDK cannot be used, or None."""
    if name == "python":
        try:
            import openai  # noqa: F401
        except ImportError:
            return "the Python package openai is not installed"
        return None
    if not (HERE / "node_modules/openai").exists():
        return "the npm package openai is not installed"
    if not (HERE / "node_modules/node/bin/node").exists() and not shutil.which("node"):
        return "there is no node"
    return None


SDKS = {"python": PythonSdk, "node": NodeSdk}
