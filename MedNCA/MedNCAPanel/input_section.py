"""The section Input: a sample to try, a region around the anatomy, all frames of a sequence."""

from __future__ import annotations

from typing import Any

from MedNCAScene.application.sample_data import loadPhantom
from MedNCAScene.inputs.checks import InputCheck
from MedNCAScene.inputs.region import placeRegion
from MedNCAScene.inputs.sequence import frameCount
from MedNCAScene.node_watch import NodeWatch

import MedNCALib as mednca
from MedNCALib.segmentation.options import Find

from . import messages
from .parameters import GetParameters, Parameters


class InputSection:
    """The buttons Try it and Place region, a hint if the volume does not fit the model, and the offer of all frames.

    Args:
        ui: the panel's widgets.
        getParameters: returns the parameters, None while there are none.
    """

    def __init__(self, ui: Any, getParameters: GetParameters) -> None:
        self._ui = ui
        self._getParameters = getParameters
        self._model: mednca.Model | None = None
        self._find: Find = "auto"
        self._check = InputCheck()
        self._volume = NodeWatch(self._update)  # it may get its voxels later
        self._region = NodeWatch(self._update)
        ui.tryButton.connect("clicked(bool)", self._onTry)
        ui.placeRegionButton.connect("clicked(bool)", self._onPlaceRegion)
        ui.hintButton.connect("clicked(bool)", self._onPlaceRegion)

    def show(self, parameters: Parameters, model: mednca.Model | None) -> None:
        """Offer what fits the parameters' volume and this model."""
        self._model, self._find = model, parameters.find
        self._volume.follow(parameters.inputVolume)
        self._region.follow(parameters.region)
        self._ui.tryButton.toolTip = messages.sampleTip(model.name if model else "")
        self._update()

    def release(self) -> None:
        """Follow no nodes any more."""
        self._volume.follow(None)
        self._region.follow(None)

    def _update(self) -> None:
        volumeNode, ui = self._volume.node, self._ui
        ui.allFramesCheckBox.setVisible(frameCount(volumeNode) > 1)
        ui.placeRegionButton.enabled = volumeNode is not None and self._expectedSize is not None
        self._check.update(volumeNode, self._model, self._region.node, self._find)
        ui.hintFrame.setVisible(bool(self._check.warnings))
        ui.hintLabel.text = self._check.warnings[0] if self._check.warnings else ""
        ui.hintButton.setVisible(self._check.needsRegion)

    @property
    def _expectedSize(self) -> tuple[float, float, float] | None:
        return self._model.card.field_of_view_mm if self._model else None

    def _onTry(self, *_args: Any) -> None:
        self._getParameters().inputVolume = loadPhantom()

    def _onPlaceRegion(self, *_args: Any) -> None:
        parameters, size = self._getParameters(), self._expectedSize
        if size is not None:
            parameters.region = placeRegion(parameters.inputVolume, size, parameters.region)
