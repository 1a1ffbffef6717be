"""Packages that some tests need. Looking for one takes no time; importing it would take seconds in each process."""

from importlib.util import find_spec

import pytest


def needs(package, reason):
    """A mark that skips tests without the package."""
    return pytest.mark.skipif(find_spec(package) is None, reason=reason)
