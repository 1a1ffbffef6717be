"""Runs the tests of the module in this checkout inside 3D Slicer, and exits with 0 if all have passed.

Slicer --testing --additional-module-paths MedNCA --python-script Testing/tools/run_in_slicer.py
"""

import importlib
import traceback
import unittest
from pathlib import Path

import slicer
import slicer.util

MODULE = Path(__file__).resolve().parents[2] / "MedNCA" / "MedNCA.py"


def passed() -> bool:
    """Whether all tests have passed; each runs on its own, as Slicer's ``slicer.testing`` does it.

    :raises RuntimeError: Slicer has not loaded the module of this checkout, or that has no tests.
    """
    name = MODULE.stem
    loaded = Path(slicer.util.modulePath(name)).resolve() if name in slicer.util.moduleNames() else None
    if loaded != MODULE:
        raise RuntimeError(f"Slicer has loaded {loaded or 'no such module'}, not {MODULE}")
    testClass, loader = getattr(importlib.import_module(name), f"{name}Test"), unittest.TestLoader()
    if not loader.getTestCaseNames(testClass):
        raise RuntimeError(f"{testClass.__name__} has no tests")
    return unittest.TextTestRunner(verbosity=2).run(loader.loadTestsFromTestCase(testClass)).wasSuccessful()


def main() -> None:
    # Whatever goes wrong, Slicer has to exit: nobody is there to close it.
    try:
        status = slicer.util.EXIT_SUCCESS if passed() else slicer.util.EXIT_FAILURE
    except Exception:
        traceback.print_exc()
        status = slicer.util.EXIT_FAILURE
    slicer.util.exit(status)


if __name__ == "__main__":
    main()
