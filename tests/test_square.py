"""Every official SDK in front of every vendor's dialect, cell by cell, and the page that tells users what crosses.
SPDX-License-Identifier: MIT
"""

import os
import pathlib

import pytest

from harness.gateway import Gateway
pytest.register_assert_rewrite("square.cells")

from square import cells, clients, mouths, page, vendors
from square.journal import Journal

# The SDKs' own.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
PAGE = pathlib.Path(__file__).resolve().parents[1] / "docs/dialects.md"
LANGUAGES = ("Python", "Node")
TRIES = [
    pytest.param(language, client, vendor, kind, streams, id=f"{language}-{client}-{vendor.name}-{kind.name}-{mode}")
    for language in LANGUAGES
    for client in clients.NAMES
    for vendor in vendors.ALL
    for kind in cells.ALL
    for streams in kind.modes
    for mode in ["stream" if streams else "whole"]
]
table = {}  # (client, vendor, cell) -> Found, filled as the cells are tried
tried = set()


@pytest.fixture(scope="module")
def gateway(session_upstream, tmp_path_factory):
    """One gateway with every vendor behind it: the model's name chooses."""
    one = Gateway(tmp_path_factory.mktemp("square"), {"backends": vendors.backends(session_upstream)})
    yield one
    one.stop()


@pytest.fixture(scope="module")
def journal(gateway):
    return Journal(gateway.output)


@pytest.fixture(scope="module")
def speakers(gateway):
    """The SDKs, each made once."""
    made = {}

    def speaker(language, name):
        if why := mouths.missing(name, language):
            pytest.skip(f"SDK: {why}")
        if (language, name) not in made:
            made[language, name] = getattr(mouths, language)(name, gateway.url)
        return made[language, name]

    yield speaker
    for one in made.values():
        one.close()


@pytest.mark.parametrize("language, client, vendor, kind, streams", TRIES)
def test_cell(gateway, speakers, upstream, journal, language, client, vendor, kind, streams):
    journal.skip()
    cell = cells.Cell(speakers(language, client), vendor, upstream, journal, streams)
    kind.run(cell)
    table.setdefault((client, vendor.name, kind.name), page.Found()).add(cell)
    tried.add((language, client, vendor.name, kind.name, streams))


def test_the_page_says_what_the_run_found():
    if len(tried) < len(TRIES):
        pytest.skip("the square was not tried as a whole")
    told = page.written(table)
    print(told)
    if os.environ.get("SLUICE_GOLDEN") == "rewrite":
        PAGE.write_text(told)
    old = "docs/dialects.md is old: SLUICE_GOLDEN=rewrite tests/run BINARY -k square"
    assert PAGE.exists() and PAGE.read_text() == told, old
