"""The SDKs as they are used by the cells: words in, a Got out, whatever the language. SPDX-License-Identifier: MIT"""

import importlib
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess

from . import clients
from .talk import Got

KEY = "sk-canary-of-the-client"
HERE = pathlib.Path(__file__).resolve().parent
MODULES = HERE.parent / "node_modules"


def broken_streams():
    """What the HTTP libraries below the SDKs raise when a body ends early."""
    found = []
    for name in ("httpx", "httpx2"):
        if importlib.util.find_spec(name):
            found.append(importlib.import_module(name).HTTPError)
    return tuple(found)


class Python:
    language = "Python"

    def __init__(self, name, url, key=KEY):
        self.words = clients.module(name)
        self.name, self.sends_pdf = name, "document" not in self.words.CANNOT
        self.sdk = self.words.Python(url, key)
        errors = self.sdk.errors if isinstance(self.sdk.errors, tuple) else (self.sdk.errors,)
        self.errors, self.breaks = errors, broken_streams()

    def ask(self, model, ask):
        params = self.words.words(model, ask)
        try:
            got, turn, headers = (self.sdk.stream if ask.stream else self.sdk.whole)(params)
        except self.errors as error:
            return Got(error=self.sdk.told(error))
        except self.breaks as error:
            return Got(error={"class": type(error).__name__, "status": None, "message": str(error)})
        got.turn, got.headers = turn, headers
        return got

    def leave(self, model, ask):
        return self.sdk.leave(self.words.words(model, ask))

    def close(self):
        pass


def node_program():
    shipped = MODULES / "node/bin/node"
    return str(shipped) if shipped.exists() else shutil.which("node")


class Node:
    """An SDK for Node in a child: one line of JSON per question."""

    language = "Node"

    def __init__(self, name, url, key=KEY):
        self.words = clients.module(name)
        self.name, self.sends_pdf, self.asked = name, "document" not in self.words.CANNOT, 0
        self.child = subprocess.Popen(
            [node_program(), str(HERE / "node/driver.mjs"), name, url, key],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")},
        )
        assert json.loads(self.child.stdout.readline())["ready"]

    def _run(self, operation, params):
        self.asked += 1
        self.child.stdin.write(json.dumps({"id": self.asked, "operation": operation, "params": params}) + "\n")
        self.child.stdin.flush()
        answer = json.loads(self.child.stdout.readline())
        assert answer["id"] == self.asked and "crash" not in answer, answer
        return answer

    def ask(self, model, ask):
        answer = self._run("stream" if ask.stream else "whole", self.words.words(model, ask))
        if "error" in answer:
            return Got(error=answer["error"])
        reply, pieces = answer.get("reply"), answer.get("pieces", 0)
        if "events" in answer:
            reply, pieces = self.words.folded(answer["events"])
        got = self.words.heard(reply)
        got.turn, got.headers = self.words.turn(reply), answer.get("headers", {})
        got.pieces = got.pieces or pieces
        return got

    def leave(self, model, ask):
        answer = self._run("leave", self.words.words(model, ask))
        assert "error" not in answer, answer
        return answer.get("heard")

    def close(self):
        self.child.stdin.close()
        self.child.wait(10)


def missing(name, language):
    """Why an SDK cannot be used, or None."""
    package = clients.module(name).PACKAGES[language]
    if language == "Node":
        if not (MODULES / package).exists():
            return f"the npm package {package} is not installed"
        return None if node_program() else "there is no node"
    modules = {"google-genai": "google.genai"}
    try:
        importlib.import_module(modules.get(package, package))
    except ImportError:
        return f"the Python package {package} is not installed"
    return None
