"""What every test may ask for: the scripted upstream, a gateway in front of it, an SDK. SPDX-License-Identifier: MIT"""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from faults import bench as faults  # noqa: E402
from harness import corpus, sdks, vendor_schema  # noqa: E402
from harness.depot import Depot  # noqa: E402
from harness.gateway import Gateway, backends, expect_keys  # noqa: E402
from harness.upstream import Upstream  # noqa: E402
from harness.vendors import VENDORS  # noqa: E402


@pytest.fixture(scope="session")
def session_upstream():
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture
def upstream(session_upstream):
    """The scripted upstream, its script empty; a request that a vendor would have refused fails the test."""
    session_upstream.reset()
    expect_keys(session_upstream)
    yield session_upstream
    assert not session_upstream.violations, "the vendor would refuse:\n" + "\n".join(session_upstream.violations)
    assert not session_upstream.script, f"{len(session_upstream.script)} scripted answers were never asked for"


@pytest.fixture(scope="session")
def shared_gateway(session_upstream, tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), {"backends": backends(session_upstream)})
    yield gateway
    gateway.stop()


@pytest.fixture
def gateway(shared_gateway, upstream):
    """The gateway that most tests share; it must outlive each."""
    yield shared_gateway
    assert shared_gateway.process.poll() is None, f"the gateway died:\n{shared_gateway.said()[-8000:]}"


@pytest.fixture
def start(tmp_path):
    """start(config, …): a gateway of the test's own, stopped and looked over at its end."""
    started = []

    def begin(*arguments, **words):
        gateway = Gateway(tmp_path / f"gateway{len(started)}", *arguments, **words)
        started.append(gateway)
        return gateway

    yield begin
    for gateway in started:
        gateway.stop()


@pytest.fixture
def succeed(tmp_path):
    """succeed(old, config): the process that takes old's place."""
    started = []

    def begin(old, settings, **words):
        folder = tmp_path / f"successor{len(started)}"
        new = Gateway(
            folder,
            settings,
            port=old.port,
            arguments=["serve", "--takeover", "--config", str(folder / "config.yaml")],
            wait=False,
            **words,
        )
        started.append(new)
        return new

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.stop()


@pytest.fixture
def depot():
    """A vendor's other half, answering {} until told otherwise."""
    one = Depot()
    yield one
    one.close()


@pytest.fixture(scope="session")
def _running_sdks():
    running = {}
    yield running
    for one in running.values():
        one.close()


@pytest.fixture(params=["python", "node"])
def sdk(request, _running_sdks):
    """Each official SDK in turn."""
    if why := sdks.missing(request.param):
        pytest.skip(f"SDK: {why}")
    if request.param not in _running_sdks:
        _running_sdks[request.param] = sdks.SDKS[request.param]()
    return _running_sdks[request.param]


@pytest.fixture(params=list(VENDORS))
def vendor(request):
    """Each vendor in turn, by its backend's name."""
    return request.param


def pytest_collection_modifyitems(items):
    """Tests that replay recorded traffic are skipped without it."""
    for item in items:
        if "corpus" in item.keywords and not corpus.available():
            item.add_marker(pytest.mark.skip(reason="SLUICE_SHARED: no recorded traffic"))


def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):
        faults.TABLE.unlink(missing_ok=True)


def pytest_configure(config):
    config.addinivalue_line("markers", "corpus: replays recorded traffic of SLUICE_SHARED")


def pytest_terminal_summary(terminalreporter):
    """Skips are said aloud, and the last line is for machines."""
    stats = terminalreporter.stats
    reasons = {}
    for report in stats.get("skipped", []):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[why] = reasons.get(why, 0) + 1
    for report in stats.get("xfailed", []):
        reasons.setdefault(f"known fault: {report.wasxfail}", 0)
        reasons[f"known fault: {report.wasxfail}"] += 1
    for why, count in sorted(reasons.items()):
        terminalreporter.write_line(f"SKIPPED {count}: {why.removeprefix('Skipped: ')}", yellow=True, bold=True)
    for line in faults.table():
        terminalreporter.write_line(line)
    if path := os.environ.get("SLUICE_COUNTS"):
        count = {name: len(stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")}
        bad = count["failed"] + count["error"]
        pathlib.Path(path).write_text(f"{count['passed']} passed, {bad} failed, {count['skipped']} skipped\n")
    if not vendor_schema.available():
        terminalreporter.write_line(
            "SKIPPED: requests were not checked against the vendors' schemas (SLUICE_SHARED)", yellow=True, bold=True
        )
