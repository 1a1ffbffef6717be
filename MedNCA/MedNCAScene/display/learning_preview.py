"""The present result of a training in the slice views: on a case that it keeps aside, better from minute to minute."""

from __future__ import annotations

from collections.abc import Sequence

import SimpleITK as sitk
import slicer

import MedNCALib as mednca

from ..derived_nodes import MODEL_TAG, removeNodes
from ..inputs.geometry import ijkToRasOfImage
from ..results.cell_colors import addLabelColors, showCellColors
from ..results.segments import segmentedVolume
from .segment_outlines import HiddenFill
from .slice_foreground import TemporaryForeground


class LearningPreview:
    """Lays labels over a volume in the slice views, until `remove`.

    Nothing of it is listed or saved. The views are moved to a case when its first result comes; whoever looks at
    something else from then on is left alone.
    """

    OPACITY = 0.5

    def __init__(self) -> None:
        self._labels: slicer.vtkMRMLScalarVolumeNode | None = None
        self._colors: slicer.vtkMRMLColorTableNode | None = None
        self._image: slicer.vtkMRMLScalarVolumeNode | None = None
        self._foreground: TemporaryForeground | None = None
        self._case = ""
        self._fills: list[HiddenFill] = []
        self._hidden: list[slicer.vtkMRMLSegmentationDisplayNode] = []

    def show(
        self,
        case: str,
        image: str,
        labels: str,
        labelTable: Sequence[mednca.Label],
        volumeNode: slicer.vtkMRMLScalarVolumeNode | None = None,
    ) -> None:
        """Show a result.

        Args:
            case: name of the case.
            image, labels: paths of the case's image and of the result.
            labelTable: what the values of the result mean.
            volumeNode: the case in the scene; None to load the image.

        Raises:
            MedNCAError: a file cannot be read.
        """
        result = sitk.Cast(mednca.read_image(labels), sitk.sitkUInt8)
        isNew = self._labels is None or self._labels.GetScene() is None or case != self._case
        if isNew:
            self.remove()
            self._case = case
            background = volumeNode if volumeNode is not None else self._load(image, case)
            self._colors = addLabelColors(labelTable)
            self._labels = _hiddenVolume("MedNCA learning preview")
            self._labels.SetAndObserveTransformNodeID(background.GetTransformNodeID())
            slicer.util.setSliceViewerLayers(background=background, fit=True)
        node = self._labels
        assert node is not None
        slicer.util.updateVolumeFromArray(node, sitk.GetArrayViewFromImage(result))
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijkToRasOfImage(result)))
        showCellColors(node, self._colors)
        if isNew:
            node.GetDisplayNode().SetHideFromEditors(True)
            node.GetDisplayNode().SetSaveWithScene(False)
            self._makeRoom(background)
            _jumpTo(result)
            self._foreground = TemporaryForeground(node, self.OPACITY)

    def remove(self) -> None:
        """Have the slice views show what they showed before; the case that was loaded goes."""
        nodes = [node for node in (self._labels, self._colors, self._image) if node is not None]
        if self._foreground is not None and self._labels is not None and self._labels.GetScene() is not None:
            self._foreground.restore()
        for fill in self._fills:
            fill.restore()
        for display in self._hidden:
            if display.GetScene() is not None:
                display.SetVisibility(True)
        removeNodes(nodes)
        self.forget()

    def forget(self) -> None:
        """Leave the views as they are: the scene is being closed."""
        self._labels = self._colors = self._image = self._foreground = None
        self._case, self._fills, self._hidden = "", [], []

    def _makeRoom(self, background: slicer.vtkMRMLScalarVolumeNode) -> None:
        """What was drawn in this case becomes outlines, and segmentations of others are hidden meanwhile."""
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
            display = node.GetDisplayNode()
            if display is None or not display.GetVisibility():
                continue
            if segmentedVolume(node) is background:
                self._fills.append(HiddenFill(display))
            else:
                display.SetVisibility(False)
                self._hidden.append(display)

    def _load(self, path: str, case: str) -> slicer.vtkMRMLScalarVolumeNode:
        image = mednca.read_image(path)
        self._image = _hiddenVolume(case)
        slicer.util.updateVolumeFromArray(self._image, sitk.GetArrayViewFromImage(image))
        self._image.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijkToRasOfImage(image)))
        self._image.CreateDefaultDisplayNodes()
        self._image.GetDisplayNode().SetSaveWithScene(False)
        return self._image


def _hiddenVolume(name: str) -> slicer.vtkMRMLScalarVolumeNode:
    node = slicer.vtkMRMLScalarVolumeNode()
    node.SetName(slicer.mrmlScene.GenerateUniqueName(name))
    node.SetHideFromEditors(True)
    node.SetSaveWithScene(False)
    node.SetAttribute(MODEL_TAG, name)  # nobody shall segment it
    return slicer.mrmlScene.AddNode(node)


def _jumpTo(labels: sitk.Image) -> None:
    """Move the slice views to the middle of the labels, if there are any."""
    shapes = sitk.LabelShapeStatisticsImageFilter()
    shapes.Execute(sitk.Cast(labels > 0, sitk.sitkUInt8))
    if shapes.HasLabel(1):
        left, posterior, superior = shapes.GetCentroid(1)
        for sliceNode in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            sliceNode.JumpSliceByOffsetting(-left, -posterior, superior)
