"""The stand-in on a command line, with those of Slicer's options that its tests are started with.

python -m host --no-splash --testing --additional-module-paths FOLDER --python-script SCRIPT
"""

import argparse
import runpy
import sys
import traceback
from pathlib import Path

from PySide6 import QtCore

from . import slicerHost


def runScript(script):
    """Run a script as the main one. After it the application exits, unless the script has done so itself."""
    import slicer
    import slicer.util

    slicer.app.commandOptions().runPythonAndExit = True
    status = slicer.util.EXIT_SUCCESS
    try:
        runpy.run_path(script, run_name="__main__")
    except Exception:
        traceback.print_exc()
        status = slicer.util.EXIT_FAILURE
    if slicer.app.commandOptions().runPythonAndExit:
        slicer.util.exit(status)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-splash", action="store_true", help="there never is one")
    parser.add_argument("--testing", action="store_true", help="exit after the script, as the stand-in always does")
    parser.add_argument("--additional-module-paths", nargs="+", type=Path, default=[])
    parser.add_argument("--python-script", required=True)
    options = parser.parse_args()
    host = slicerHost()
    for folder in options.additional_module_paths:
        for path in sorted(folder.glob("*.py")):
            host.loadModule(path)
    QtCore.QTimer.singleShot(0, lambda: runScript(options.python_script))
    sys.exit(host.app.exec())


if __name__ == "__main__":
    main()
