"""Pytest fixtures, for conftest.py. PySide6 and slicer-core are looked for only when a test asks for the host."""

import pytest


@pytest.fixture
def host():
    """The stand-in application, empty; fails the test if an event handler raised an exception."""
    pytest.importorskip("PySide6", reason="the stand-in Slicer application needs PySide6")
    pytest.importorskip("slicer_core", reason="the stand-in Slicer application needs slicer-core")
    from host import slicerHost

    running = slicerHost()
    running.reset()
    yield running
    errors = list(running.errors)
    running.reset()
    if errors:
        pytest.fail("An event handler raised: " + "; ".join(repr(error) for error in errors))
