"""The project's own terminology, for structures that Slicer's lists lack."""

from __future__ import annotations

import slicer

from ..library import homeFolder


def loadTerminology() -> str:
    """Add the project's terminology to those that the application offers.

    Returns:
        Its name.

    Raises:
        RuntimeError: the file is missing or damaged.
    """
    path = homeFolder() / "Resources" / "MedNCA.term.json"
    name = slicer.modules.terminologies.logic().LoadTerminologyFromFile(str(path))
    if not name:
        raise RuntimeError(f"{path} could not be read: install the extension again.")
    return name
