"""What the application remembers for the module, on this computer and for all scenes."""

from __future__ import annotations

import slicer

_MODELS_FOLDER = "MedNCA/ModelsFolder"


def modelsFolder() -> str | None:
    """The folder of the user's own models; None leaves it to the library (the environment variable MEDNCA_MODELS)."""
    return slicer.util.settingsValue(_MODELS_FOLDER, "") or None


def setModelsFolder(path: str) -> None:
    """Remember the folder of the user's own models; an empty path forgets it."""
    slicer.app.userSettings().setValue(_MODELS_FOLDER, path)
