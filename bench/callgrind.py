"""User-space instructions per request or event, from valgrind's callgrind: the same on every machine and every day.

Each count comes from two runs of the proxy with different numbers of requests on one connection; their difference
leaves out the start and the end of the process.
SPDX-License-Identifier: MIT
"""

import re

from servers import OUT, Broken, load


def total(folder):
    """Instructions of all dumps in the folder."""
    sums = [re.search(r"^(?:summary|totals): (\d+)", f.read_text(errors="replace"), re.M) for f in folder.glob("callgrind.*")]
    if not sums or None in sums:
        raise Broken("callgrind left no count; does the proxy end on SIGTERM?")
    return sum(int(s.group(1)) for s in sums)


def counted_run(proxies, name, options, requests):
    folder = OUT / "callgrind"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("callgrind.*"):
        old.unlink()
    wrap = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind.%p", "--quiet"]
    server = proxies.start(name, wrap, master=False)
    try:
        server.wait(60)
        result = load(server.port, *options, "--conns", 1, "--requests", requests)
    finally:
        server.stop()
    if result["errors"]:
        raise Broken(result["complaint"])
    return total(folder), result["events"] or result["done"]


def instructions(proxies, name, work):
    """Instructions per request, or per event for a stream; None with the reason when the proxy fails."""
    options = [*work.options, *getattr(work, name)]
    few, many = (2, 12) if work.stream else (50, 450)
    try:
        first, n = counted_run(proxies, name, options, few)
        second, m = counted_run(proxies, name, options, many)
    except Broken as why:
        return None, str(why)
    return (second - first) / (m - n), ""
