"""The kept steps of a run -> a sequence that Slicer plays."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import slicer
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.segmentation.common_grid import CommonGrid
from MedNCALib.segmentation.finder import runs_finder
from MedNCALib.segmentation.model_input import model_space
from MedNCALib.segmentation.options import Find
from MedNCALib.segmentation.recording import Recorder, SettlingRecorder, kept_steps

from ..derived_nodes import derivedNodes, placeBeside, removeNodes, tagAsDerived, uniqueName
from ..inputs.geometry import ijkToRasOfVolume, physicalOfRas, placeImage
from ..inputs.region import Box, regionInVolume
from .cell_colors import placeCells, showCellColors
from .cell_quantities import StepQuantity, quantityOf

DEFAULT_MEGABYTES = 256
PLAYBACK_FPS = 8.0

# An attribute of all nodes of a growth: what they show.
_QUANTITY_TAG = "MedNCA.View"


@dataclass(frozen=True)
class Estimate:
    """The memory that the steps of a run will take.

    Attributes:
        kept: number of steps that will be kept.
        steps: of the run.
        megabytes: of 1e6 bytes, that the kept ones take.
        isExact: False if two places are still to be found: on the one grid that holds both, what lies between them
            comes on top.
    """

    kept: int
    steps: int
    megabytes: float
    isExact: bool = True


def estimateGrowth(
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    model: mednca.Model,
    key: str,
    region: slicer.vtkMRMLMarkupsROINode | None = None,
    megabytes: int = DEFAULT_MEGABYTES,
    find: Find = "auto",
) -> Estimate:
    """The memory that keeping the steps of a run will take; structures on two sides are taken to lie side by side.

    Args:
        volumeNode, model, region, find: of the run.
        key: of the quantity to keep.
        megabytes: the limit.

    Raises:
        MedNCAError: the volume or the region cannot be used.
    """
    image = sitk.Image(volumeNode.GetImageData().GetDimensions(), sitk.sitkUInt8)
    placeImage(image, ijkToRasOfVolume(volumeNode))
    box = regionInVolume(region, volumeNode)
    isFound = runs_finder(image, model, box, find)
    places = 2 if isFound and model.has_sides else 1
    if isFound:
        box = _middleBox(image, model)
    space = model_space(image, model, box)
    quantity = quantityOf(model, key)
    frame = places * int(np.prod(space.inside_shape)) * quantity.dtype.itemsize
    architecture = model.cascade.without_hints.architecture
    steps = sum(stage.steps for stage in architecture.stages)
    isSequence = isinstance(quantity, StepQuantity)
    kept = len(kept_steps(architecture, frame, megabytes * 10**6)) if isSequence else 1
    return Estimate(kept, steps, kept * frame / 1e6, isExact=places == 1)


def _middleBox(image: sitk.Image, model: mednca.Model) -> Box | None:
    """A box as large as the one in which a model segments what was found, somewhere in the image."""
    size = model.card.field_of_view_mm
    if size is None:
        return None
    middle = image.TransformContinuousIndexToPhysicalPoint([(count - 1) / 2 for count in image.GetSize()])
    (r0, a0, s0), (r1, a1, s1) = (
        [centre + sign * mm / 2 for centre, mm in zip(physicalOfRas(middle), size)] for sign in (-1, 1)
    )
    return r0, r1, a0, a1, s0, s1


class GrowthRecording:
    """Keeps the steps of a run and, when it has ended well, puts them in the scene.

    Args:
        model: the model of the run.
        key: of the quantity to keep, see `cell_quantities`.
        megabytes: limit of the memory; if all steps take more, only some are kept.
    """

    def __init__(self, model: mednca.Model, key: str, megabytes: int) -> None:
        self._model = model
        self._quantity = quantityOf(model, key)
        self._recorder: Recorder | SettlingRecorder
        if isinstance(self._quantity, StepQuantity):
            self._recorder = Recorder(self._quantity.values, self._quantity.dtype, megabytes * 10**6)
        else:
            self._recorder = SettlingRecorder()

    def follow(self, steps: Generator[mednca.Step, None, mednca.Result]) -> Generator[mednca.Step, None, mednca.Result]:
        """Pass the steps of a run on; a generator with the same return value."""
        return self._recorder.follow(steps)

    def write(
        self, volumeNode: slicer.vtkMRMLScalarVolumeNode
    ) -> tuple[slicer.vtkMRMLScalarVolumeNode, slicer.vtkMRMLSequenceBrowserNode | None]:
        """Add the volume that shows the growth and, if it has several steps, its sequence and browser.

        The growth that the same model left for the same volume before is removed at the end.

        Returns:
            The volume node, and the browser node or None.
        """
        grid = self._recorder.grid
        if grid is None:
            raise RuntimeError("There is nothing to write before a run has ended.")
        previous = growthNodes(self._model.name, volumeNode)
        if isinstance(self._recorder, Recorder):
            name, frames = _("{volume} growth"), self._recorder.frames
        else:
            name, frames = _("{volume} when it settled"), {0: self._recorder.settled}
        name = uniqueName(name.format(volume=volumeNode.GetName()), leaving=previous)
        node = self._addVolume(name, frames[max(frames)], grid, volumeNode)
        browser = None
        if isinstance(self._recorder, Recorder):
            browser = self._addSequence(node, frames, grid, volumeNode)
        removeNodes(previous)
        return node, browser

    def _addVolume(
        self, name: str, voxels: np.ndarray, grid: CommonGrid, volumeNode: slicer.vtkMRMLScalarVolumeNode
    ) -> slicer.vtkMRMLScalarVolumeNode:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        self._tag(node, volumeNode)
        slicer.util.updateVolumeFromArray(node, _rightHanded(voxels, grid))
        placeCells(node, grid, volumeNode)
        if _isLeftHanded(grid):
            _turnSlices(node)
        placeBeside(node, volumeNode)
        colors = self._quantity.colors(self._model)
        if not colors.GetSingletonTag():  # the application's own tables are shared
            self._tag(colors, volumeNode)
        showCellColors(node, colors, self._quantity.window(voxels))
        if not isinstance(self._quantity, StepQuantity):
            display = node.GetDisplayNode()
            display.SetAutoThreshold(False)
            display.SetThreshold(1, 65535)
            display.SetApplyThreshold(True)
        return node

    def _addSequence(
        self,
        node: slicer.vtkMRMLScalarVolumeNode,
        frames: dict[int, np.ndarray],
        grid: CommonGrid,
        volumeNode: slicer.vtkMRMLScalarVolumeNode,
    ) -> slicer.vtkMRMLSequenceBrowserNode:
        scene, name = slicer.mrmlScene, node.GetName()
        leaving = growthNodes(self._model.name, volumeNode)
        sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", uniqueName(f"{name} steps", leaving))
        browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", uniqueName(f"{name} browser", leaving))
        self._tag(sequence, volumeNode)
        sequence.SetIndexName("step")
        sequence.SetIndexUnit("")
        frame = slicer.vtkMRMLScalarVolumeNode()
        frame.SetName(name)
        # The volume in the scene gets the attributes of the frame with its voxels.
        for tag in node.GetAttributeNames():
            frame.SetAttribute(tag, node.GetAttribute(tag))
        frame.CopyOrientation(node)
        for number in sorted(frames):
            slicer.util.updateVolumeFromArray(frame, _rightHanded(frames.pop(number), grid))
            sequence.SetDataNodeAtValue(frame, str(number))
        self._tag(browser, volumeNode)
        browser.SetAttribute(_QUANTITY_TAG, self._quantity.title)
        with slicer.util.NodeModify(browser):  # else the application adds another volume in between
            browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
            browser.AddProxyNode(node, sequence, False)
        browser.SetSaveChanges(sequence, False)
        browser.SetPlaybackRateFps(PLAYBACK_FPS)
        browser.SetPlaybackItemSkippingEnabled(False)
        browser.SetPlaybackLooped(True)
        browser.SetSelectedItemNumber(sequence.GetNumberOfDataNodes() - 1)
        return browser

    def _tag(self, node: slicer.vtkMRMLNode, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> None:
        tagAsDerived(node, self._model.name, volumeNode)
        node.SetAttribute(_QUANTITY_TAG, self._quantity.key)


def growthNodes(modelName: str, volumeNode: slicer.vtkMRMLScalarVolumeNode) -> list[slicer.vtkMRMLNode]:
    """All nodes of the growth of a model in a volume."""
    return [node for node in derivedNodes(modelName, volumeNode) if node.GetAttribute(_QUANTITY_TAG) is not None]


# Slicer's files of sequences hold right-handed grids only: others come back with their slices in reverse. So they are
# turned before.


def _isLeftHanded(grid: CommonGrid) -> bool:
    return bool(np.linalg.det(grid.index_to_physical()[:3, :3]) < 0)


def _rightHanded(voxels: np.ndarray, grid: CommonGrid) -> np.ndarray:
    return np.ascontiguousarray(voxels[::-1]) if _isLeftHanded(grid) else voxels


def _turnSlices(node: slicer.vtkMRMLScalarVolumeNode) -> None:
    matrix = ijkToRasOfVolume(node)
    matrix[:3, 3] += matrix[:3, 2] * (node.GetImageData().GetDimensions()[2] - 1)
    matrix[:3, 2] *= -1
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
