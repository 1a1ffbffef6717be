"""Fixtures for all tests."""

from host.fixtures import host  # noqa: F401
