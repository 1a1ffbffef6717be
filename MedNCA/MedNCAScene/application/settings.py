"""What the application remembers for the module, on this computer and for all scenes."""

from __future__ import annotations

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


def isLicenceAccepted(model: mednca.Model) -> bool:
    """Whether the user has accepted the licence that a model has now, in whichever folder the model is."""
    return slicer.util.settingsValue(f"{_ACCEPTED_LICENCES}/{model.name}", "") == model.card.licence


def acceptLicence(model: mednca.Model) -> None:
    """Remember that the user accepts the licence of a model."""
    slicer.app.userSettings().setValue(f"{_ACCEPTED_LICENCES}/{model.name}", model.card.licence)
