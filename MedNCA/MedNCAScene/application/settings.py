"""What the application remembers for the module, on this computer and for all scenes."""

import slicer

_MODELS_FOLDER = "MedNCA/ModelsFolder"


def modelsFolder() -> str | None:
    """Where the user's own models are; None leaves it to the engine (the environment variable MEDNCA_MODELS)."""
    return slicer.util.settingsValue(_MODELS_FOLDER, "") or None


def setModelsFolder(path: str) -> None:
    """Remember where the user's own models are; an empty path forgets it."""
    slicer.app.userSettings().setValue(_MODELS_FOLDER, path)
