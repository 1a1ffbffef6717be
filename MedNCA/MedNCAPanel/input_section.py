"""The part of the panel that helps to give a model what it expects: a sample to try, a region around the anatomy."""

import vtk

from .messages import regionHint, sampleTip


class InputHelp:
    """The buttons Try it and Place region, the hint that a region is needed, and the offer to segment all frames.

    :param ui: the panel's widgets.
    :param getParameters: returns the parameters, None while there are none.
    """

    def __init__(self, ui, getParameters):
        self._ui = ui
        self._getParameters = getParameters
        self._model = self._volumeNode = self._tag = None
        ui.tryButton.connect("clicked(bool)", self._onTry)
        ui.placeRegionButton.connect("clicked(bool)", self._onPlaceRegion)
        ui.hintButton.connect("clicked(bool)", self._onPlaceRegion)

    def show(self, parameters, model) -> None:
        """Offer what fits the parameters' volume and this model, which may be None."""
        self._model = model
        self.watch(parameters.inputVolume)
        self._ui.tryButton.toolTip = sampleTip(model.name if model else "")
        self._update()

    def watch(self, volumeNode) -> None:
        """Follow what happens to this volume, which may get its voxels later; None for none any more."""
        if volumeNode is self._volumeNode:
            return
        if self._volumeNode is not None:
            self._volumeNode.RemoveObserver(self._tag)
        self._volumeNode = volumeNode
        if volumeNode is not None:
            self._tag = volumeNode.AddObserver(vtk.vtkCommand.ModifiedEvent, self._update)

    def _update(self, *_args) -> None:
        from MedNCAScene.inputs.region import isMuchLarger
        from MedNCAScene.sequence_run import frameCount

        self._ui.allFramesCheckBox.setVisible(frameCount(self._volumeNode) > 1)
        size = self._model.card.get("field_of_view_mm") if self._model else None
        canPlace = bool(size) and self._volumeNode is not None
        self._ui.placeRegionButton.enabled = canPlace
        isNeeded = canPlace and self._getParameters().region is None and isMuchLarger(self._volumeNode, size)
        self._ui.hintFrame.setVisible(isNeeded)
        if isNeeded:
            self._ui.hintLabel.text = regionHint(size)

    def _onTry(self, *_args) -> None:
        from MedNCAScene.application.sample_data import loadPhantom

        self._getParameters().inputVolume = loadPhantom()

    def _onPlaceRegion(self, *_args) -> None:
        from MedNCAScene.inputs.region import placeRegion

        parameters = self._getParameters()
        size = self._model.card["field_of_view_mm"]
        parameters.region = placeRegion(parameters.inputVolume, size, parameters.region)
