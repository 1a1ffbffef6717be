"""Where MedNCALib is: the copy that came with the module goes before any other."""

from __future__ import annotations

import logging
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

LIBRARY = "MedNCALib"


def homeFolder() -> Path:
    """The folder that holds MedNCALib, the models and the terminology.

    It is the module's own folder in an installed extension, and the one above in the source tree.

    Raises:
        ImportError: neither holds the library.
    """
    module = Path(__file__).resolve().parents[1]
    for folder in (module, module.parent):
        if (folder / LIBRARY).is_dir():
            return folder
    raise ImportError(f"{LIBRARY} is neither in {module} nor in {module.parent}: install the extension again.")


def importLibrary() -> None:
    """Import MedNCALib from `homeFolder`, whatever the search path holds.

    Slicer puts the folders of extensions at the end of the search path, so that a copy installed with pip would be
    found first. A copy that a script has imported before stays, with a warning.

    Raises:
        ImportError: see `homeFolder`.
    """
    home = homeFolder()
    if LIBRARY in sys.modules:
        imported = Path(str(sys.modules[LIBRARY].__file__)).resolve().parents[1]
        if imported != home:
            logging.warning(
                f"MedNCA uses {LIBRARY} from {imported}, which was imported before, not its own copy in {home}:"
                " restart Slicer if this is not intended."
            )
        return
    spec = PathFinder.find_spec(LIBRARY, [str(home)])
    if spec is None or spec.loader is None:
        raise ImportError(f"{LIBRARY} in {home} is damaged: install the extension again.")
    library = module_from_spec(spec)
    sys.modules[LIBRARY] = library
    spec.loader.exec_module(library)
