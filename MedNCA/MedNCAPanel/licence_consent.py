"""The user's consent to the licence of a model that restricts its use."""

from __future__ import annotations

import slicer
from MedNCAScene.application.settings import acceptLicence, isLicenceAccepted

import MedNCALib as mednca
from MedNCALib.model.licence import licence_note

from . import messages


def mayUse(model: mednca.Model) -> bool:
    """Whether the user accepts the licence of a model: asks once, and only if it restricts the use."""
    note = licence_note(model)
    if note is None or isLicenceAccepted(model):
        return True
    if slicer.util.confirmYesNoDisplay(messages.licenceQuestion(note), windowTitle="MedNCA"):
        acceptLicence(model)
        return True
    return False
