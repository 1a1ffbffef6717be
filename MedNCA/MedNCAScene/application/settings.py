"""What the application remembers for the module, on this computer and for all scenes."""

from __future__ import annotations

import os
from pathlib import Path

import slicer

import MedNCALib as mednca

_MODELS_FOLDER = "MedNCA/ModelsFolder"
_ACCEPTED_LICENCES = "MedNCA/AcceptedLicences"


def modelsFolder() -> str | None:
    """The folder of the user's own models; None leaves it to the library (the environment variable MEDNCA_MODELS)."""
    return slicer.util.settingsValue(_MODELS_FOLDER, "") or None


def setModelsFolder(path: str) -> None:
    """Remember the folder of the user's own models; an empty path forgets it."""
    slicer.app.userSettings().setValue(_MODELS_FOLDER, path)


def ownModelsFolder() -> str:
    """The folder that models of the user's own go to; if none is chosen, one beside Slicer's settings from now on."""
    folder = modelsFolder() or os.environ.get("MEDNCA_MODELS")
    if not folder:
        folder = str(Path(slicer.app.slicerUserSettingsFilePath).parent / "MedNCA models")
        setModelsFolder(folder)
    folder = os.path.abspath(folder)
    Path(folder).mkdir(parents=True, exist_ok=True)
    return folder


def isOwnModel(model: mednca.Model) -> bool:
    """Whether a model is in the folder of the user's own."""
    folder = modelsFolder() or os.environ.get("MEDNCA_MODELS")
    if not folder or model.folder is None:
        return False
    return model.folder.resolve().parent == Path(folder).resolve()


def isLicenceAccepted(model: mednca.Model) -> bool:
    """Whether the user has accepted the licence that a model has now, in whichever folder the model is."""
    return slicer.util.settingsValue(f"{_ACCEPTED_LICENCES}/{model.name}", "") == model.card.licence


def acceptLicence(model: mednca.Model) -> None:
    """Remember that the user accepts the licence of a model."""
    slicer.app.userSettings().setValue(f"{_ACCEPTED_LICENCES}/{model.name}", model.card.licence)
