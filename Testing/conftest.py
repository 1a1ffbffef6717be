"""Fixtures for all tests."""

import sys

from command_line import cohort, model_folder, volume_file  # noqa: F401
from host.fixtures import host  # noqa: F401
from panel_driver import panel, volumeNode  # noqa: F401
from scene_checks import scene  # noqa: F401

if sys.version_info < (3, 10):
    # The engine runs on the Python of Slicer 5.8; the module and its host need that of Slicer 5.10 and later.
    collect_ignore_glob = ["test_module_*.py", "test_scene_*.py", "test_host*.py", "test_cmake.py"]
