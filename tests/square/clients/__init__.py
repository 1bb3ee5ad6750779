"""One file per dialect: how its SDKs are asked and what they hand back. A module has

    NAME        the dialect
    PACKAGES    {language: package}
    words(model, ask)        the SDK's parameters, as the vendor's README writes them
    heard(reply)             a Got from the SDK's whole reply, as JSON
    turn(reply)              what a stock client keeps of it: no more than the README's loop does
    CANNOT      {cell: what} that its users have no words for
    folded(events)           (whole reply, pieces of text), where the SDK has nothing that folds a stream
    Python      the SDK for Python: whole(params), stream(params), leave(params), told(error)

The SDKs for Node take the same words and give the same replies: ../mouths.py, with ../node/DIALECT.mjs.
SPDX-License-Identifier: MIT
"""

import importlib

NAMES = ("openai_chat", "openai_responses", "anthropic", "gemini", "bedrock_converse", "cohere")


def module(name):
    return importlib.import_module(f"{__name__}.{name}")
