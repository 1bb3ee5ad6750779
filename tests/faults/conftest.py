"""SPDX-License-Identifier: MIT"""

import pytest

from harness.upstream import Upstream


@pytest.fixture
def upstream():
    """One of the test's own, which may be broken."""
    one = Upstream()
    yield one
    assert not one.violations, one.violations
    one.close()
