"""User-space instructions and allocations per request or event, from valgrind's callgrind: the same on every machine and
every day.

Each count comes from two runs of the proxy with different numbers of requests on one connection; their difference
leaves out the start and the end of the process.
SPDX-License-Identifier: MIT
"""

import re

from servers import OUT, Broken, load


ALLOCATES = re.compile(r"^(operator new|(mi_)?(malloc|calloc|realloc|aligned_alloc|posix_memalign|new)\b)")


def total(folder):
    """Instructions and allocations of all dumps in the folder."""
    files = list(folder.glob("callgrind.*"))
    texts = [f.read_text(errors="replace") for f in files]
    sums = [re.search(r"^(?:summary|totals): (\d+)", text, re.M) for text in texts]
    if not sums or None in sums:
        raise Broken("callgrind left no count; does the proxy end on SIGTERM?")
    return sum(int(s.group(1)) for s in sums), sum(map(allocations, texts))


def allocations(text):
    """Calls of the allocator from outside of it. Names stand in full only where they are met first: "fn=(7) name"."""
    names, inside, called, count = {}, False, False, 0
    for line in text.splitlines():
        if found := re.match(r"(c?)fn=\((\d+)\)(?: (.*))?", line):
            callee, number, name = found.groups()
            if name:
                names[number] = bool(ALLOCATES.match(name))
            if callee:
                called = names[number]
            else:
                inside = names[number]
        elif called and line.startswith("calls="):
            count += 0 if inside else int(line[6:].split()[0])
            called = False
    return count


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
    return *total(folder), result["events"] or result["done"]


known = {}  # nginx does the same for every client


def counts(proxies, name, work):
    """Instructions and allocations per request, or per event for a stream; None with the reason when the proxy fails."""
    options = [*work.options, *getattr(work, name)]
    key = (name, work.counted, *options)
    if key not in known:
        few, many = work.counted
        try:
            first, allocated, n = counted_run(proxies, name, options, few)
            second, allocated_then, m = counted_run(proxies, name, options, many)
        except Broken as why:
            return None, str(why)
        known[key] = ((second - first) / (m - n), (allocated_then - allocated) / (m - n))
    return known[key], ""
