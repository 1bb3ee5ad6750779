"""The ledger's file as a test reads it: rows of every month. SPDX-License-Identifier: MIT"""

import sqlite3
import time


def rows(folder, where="1"):
    """Every row, as dicts; nothing while there is no file."""
    file = folder / "ledger" / "ledger.db"
    if not file.exists():
        return []
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10) as db:
        db.row_factory = sqlite3.Row
        tables = [n for (n,) in map(tuple, db.execute("SELECT name FROM sqlite_master WHERE name GLOB 'rows_*'"))]
        return [
            dict(row)
            for table in tables
            for row in db.execute(f"SELECT r.*, p.text AS price_text FROM {table} r JOIN prices p ON p.id = r.price WHERE {where}")
        ]


def count(folder):
    """How many rows there are."""
    file = folder / "ledger" / "ledger.db"
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10) as db:
        tables = [n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE name GLOB 'rows_*'")]
        return sum(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)


def exchanges(folder):
    """The ids that have a row of their own."""
    file = folder / "ledger" / "ledger.db"
    if not file.exists():
        return set()
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10) as db:
        tables = [n for (n,) in db.execute("SELECT name FROM sqlite_master WHERE name GLOB 'rows_*'")]
        return {id_ for table in tables for (id_,) in db.execute(f"SELECT id FROM {table} WHERE attempt = 0")}


def wait_for(folder, wanted, seconds=10.0):
    """The rows once `wanted(rows)` is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = rows(folder)
        if wanted(found):
            return found
        time.sleep(0.05)
    found = rows(folder)
    raise AssertionError(f"the ledger never held it: {len(found)} rows, {found[:6]}")


def exchange(found, id_):
    """The rows of one exchange: its own, and its calls in their order."""
    own = sorted((r for r in found if r["id"] == id_), key=lambda r: r["attempt"])
    assert own and own[0]["attempt"] == 0, own
    return own[0], own[1:]
