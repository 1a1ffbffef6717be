"""The kept steps of a run -> a sequence that Slicer plays."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import slicer
from slicer.i18n import tr as _

from MedNCALib.imaging.slice_space import SliceSpace
from MedNCALib.segmentation.recording import Recorder, SettlingRecorder, kept_steps

from ..inputs.geometry import placeImage
from ..inputs.region import regionInVolume
from ..inputs.volumes import ijkToRasOfVolume
from .cell_colors import placeCells, showCellColors
from .cell_quantities import SETTLED, colorsOf, quantityOf, valuesOf, windowOf
from .segments import INPUT_ROLE, MODEL_TAG
from .subject_hierarchy import placeBeside

DEFAULT_MEGABYTES = 256
VIEW_TAG = "MedNCA.View"
PLAYBACK_FPS = 8.0


@dataclass(frozen=True)
class Estimate:
    """How many of the steps will be kept, and the megabytes (of 1e6 bytes) that they take."""

    kept: int
    steps: int
    megabytes: float


def estimateGrowth(volumeNode, model, key: str, region=None, megabytes=DEFAULT_MEGABYTES) -> Estimate:
    """What keeping the steps of a run will take.

    :raises MedNCAError: the volume or the region cannot be used.
    """
    image = sitk.Image(volumeNode.GetImageData().GetDimensions(), sitk.sitkUInt8)
    placeImage(image, ijkToRasOfVolume(volumeNode))
    box = regionInVolume(region, volumeNode) if region else None
    architecture = model.cascade.architecture
    space = SliceSpace(image, model.slice_format, architecture.stages[0].scale, box)
    view = quantityOf(model, key)
    frame = int(np.prod(space.inside_shape)) * np.dtype(view.kind).itemsize
    steps = sum(stage.steps for stage in architecture.stages)
    kept = 1 if view.key == SETTLED else len(kept_steps(architecture, frame, megabytes * 10**6))
    return Estimate(kept, steps, kept * frame / 1e6)


class Growth:
    """Keeps the steps of a run and, when it has ended well, puts them in the scene.

    :param key: what to keep, see `views`.
    :param megabytes: what it may take; where all steps take more, only some are kept.
    """

    def __init__(self, model, key: str, megabytes: int):
        self._model = model
        self._view = quantityOf(model, key)
        if self._view.key == SETTLED:
            self._recorder = SettlingRecorder()
        else:
            self._recorder = Recorder(valuesOf(self._view, model), self._view.kind, megabytes * 10**6)

    def follow(self, steps):
        """Pass the steps of a run on; a generator with the same return value."""
        return self._recorder.follow(steps)

    def write(self, volumeNode):
        """Add the volume that shows the growth and, unless it is about when cells settled, its sequence and browser.

        What the same model left for the same volume before is replaced.

        :return: the volume node, and the browser node or None.
        """
        removeGrowth(self._model.name, volumeNode)
        name = _("{volume} growth").format(volume=volumeNode.GetName())
        if self._view.key == SETTLED:
            frames = {0: self._recorder.settled}
            name = _("{volume} when it settled").format(volume=volumeNode.GetName())
        else:
            frames = self._recorder.frames
        node = self._tagged(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", _unique(name)), volumeNode)
        space = self._recorder.space
        slicer.util.updateVolumeFromArray(node, _rightHanded(frames[max(frames)], space))
        placeCells(node, space, volumeNode)
        if _isLeftHanded(space):
            _turnSlices(node)
        placeBeside(node, volumeNode)
        showCellColors(
            node, self._tagged(colorsOf(self._view, self._model), volumeNode), windowOf(self._view, frames[max(frames)])
        )
        if self._view.key == SETTLED:
            node.GetDisplayNode().SetAutoThreshold(False)
            node.GetDisplayNode().SetThreshold(1, 65535)
            node.GetDisplayNode().SetApplyThreshold(True)
            return node, None
        return node, self._addSequence(node, frames, volumeNode)

    def _addSequence(self, node, frames, volumeNode):
        scene = slicer.mrmlScene
        sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", _unique(f"{node.GetName()} steps"))
        browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", _unique(f"{node.GetName()} browser"))
        self._tagged(sequence, volumeNode).SetIndexName("step")
        sequence.SetIndexUnit("")
        frame = slicer.vtkMRMLScalarVolumeNode()
        frame.SetName(node.GetName())
        # The volume in the scene gets the attributes of the frame with its voxels.
        for tag in node.GetAttributeNames():
            frame.SetAttribute(tag, node.GetAttribute(tag))
        frame.CopyOrientation(node)
        for number in sorted(frames):
            slicer.util.updateVolumeFromArray(frame, _rightHanded(frames.pop(number), self._recorder.space))
            sequence.SetDataNodeAtValue(frame, str(number))
        self._tagged(browser, volumeNode).SetAttribute(VIEW_TAG, self._view.title)
        with slicer.util.NodeModify(browser):  # else the application adds a volume of its own in between
            browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
            browser.AddProxyNode(node, sequence, False)
        browser.SetSaveChanges(sequence, False)
        browser.SetPlaybackRateFps(PLAYBACK_FPS)
        browser.SetPlaybackItemSkippingEnabled(False)
        browser.SetPlaybackLooped(True)
        browser.SetSelectedItemNumber(sequence.GetNumberOfDataNodes() - 1)
        return browser

    def _tagged(self, node, volumeNode):
        if not node.GetID().startswith("vtkMRMLColorTableNodeIron"):
            node.SetAttribute(MODEL_TAG, self._model.name)
            node.SetAttribute(VIEW_TAG, self._view.key)
            node.SetNodeReferenceID(INPUT_ROLE, volumeNode.GetID())
        return node


def removeGrowth(modelName: str, volumeNode) -> None:
    """Remove all that the growth of a model in a volume has left in the scene."""
    scene = slicer.mrmlScene
    nodes = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
    # A browser makes a new volume as soon as its own is gone, so it has to go before.
    nodes.sort(key=lambda node: not node.IsA("vtkMRMLSequenceBrowserNode"))
    for node in nodes:
        mine = node.GetAttribute(VIEW_TAG) is not None and node.GetAttribute(MODEL_TAG) == modelName
        if mine and node.GetNodeReference(INPUT_ROLE) is volumeNode:
            if node.IsA("vtkMRMLDisplayableNode"):
                for index in reversed(range(node.GetNumberOfDisplayNodes())):
                    scene.RemoveNode(node.GetNthDisplayNode(index))
            scene.RemoveNode(node)


# Slicer's files of sequences hold right-handed grids only: others come back with their slices in reverse. So they are
# turned before.


def _isLeftHanded(space) -> bool:
    return np.linalg.det(space.index_to_physical()[:3, :3]) < 0


def _rightHanded(voxels, space):
    return np.ascontiguousarray(voxels[::-1]) if _isLeftHanded(space) else voxels


def _turnSlices(node) -> None:
    matrix = ijkToRasOfVolume(node)
    matrix[:3, 3] += matrix[:3, 2] * (node.GetImageData().GetDimensions()[2] - 1)
    matrix[:3, 2] *= -1
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))


def _unique(name: str) -> str:
    isTaken = slicer.mrmlScene.GetFirstNodeByName(name) is not None
    return slicer.mrmlScene.GenerateUniqueName(name) if isTaken else name
