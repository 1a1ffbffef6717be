"""Fixtures for all tests."""

import sys

from host.fixtures import host  # noqa: F401
from support.command_line import cohort, model_folder, volume_file  # noqa: F401
from support.panel_driver import panel, volumeNode  # noqa: F401
from support.scene_assertions import scene  # noqa: F401

if sys.version_info < (3, 10):
    # The engine runs on the Python of Slicer 5.8; the module and its host need that of Slicer 5.10 and later.
    collect_ignore_glob = ["panel/*", "scene/*", "host_tests/*", "tools_tests/*", "packaging/test_cmake.py"]
