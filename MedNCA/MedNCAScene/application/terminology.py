"""The project's own terminology, for structures that Slicer's lists lack."""

from pathlib import Path

import slicer


def terminologyFile() -> Path:
    """`MedNCA.term.json`: in `Resources` beside the module where it is installed, one folder up in the source tree."""
    module = Path(__file__).resolve().parents[2]
    candidates = [folder / "Resources" / "MedNCA.term.json" for folder in (module, module.parent)]
    return next((path for path in candidates if path.is_file()), candidates[0])


def loadTerminology() -> str:
    """Add the project's terminology to those that the application offers, and return its name.

    :raises RuntimeError: the file is missing or damaged.
    """
    name = slicer.modules.terminologies.logic().LoadTerminologyFromFile(str(terminologyFile()))
    if not name:
        raise RuntimeError(f"{terminologyFile()} could not be read: install the extension again.")
    return name
