"""The request log read as it grows: one row per conversation, in order. SPDX-License-Identifier: MIT"""

import json
import time


class Journal:
    def __init__(self, path):
        self.file, self.rest, self.rows = open(path, errors="replace"), "", []

    def _grow(self):
        self.rest += self.file.read()
        *lines, self.rest = self.rest.split("\n")
        for line in lines:
            row = json.loads(line) if line.startswith("{") else {}
            if row.get("kind") == "exchange" and row.get("operation") == "chat":
                self.rows.append(row)

    def skip(self):
        """Forgets what an earlier test left."""
        self._grow()
        self.rows.clear()

    def next(self, seconds=5.0):
        """The next exchange, once it is over."""
        end = time.monotonic() + seconds
        while not self.rows:
            self._grow()
            if not self.rows:
                assert time.monotonic() < end, "the exchange was never logged"
                time.sleep(0.001)
        return self.rows.pop(0)
