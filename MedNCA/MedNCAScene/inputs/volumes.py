"""Volume node <-> SimpleITK image."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import SimpleITK as sitk
import slicer
from slicer.i18n import tr as _
from vtk.util.numpy_support import vtk_to_numpy

import MedNCALib as mednca
from MedNCALib.segmentation.input_checks import BODY_PART, ECHO_TIME, MODALITY

from ..derived_nodes import modelOf
from .geometry import ijkToRasOfImage, ijkToRasOfVolume, placeImage

# Cosine between two axes of a volume above which it counts as sheared. NIfTI headers in float32 stay below 1e-5.
_SHEAR_TOLERANCE = 1e-3
# What the MultiVolume importer gives to a node whose voxels have a value for each frame.
_FRAME_COUNT = "MultiVolume.NumberOfFrames"
# Classes of nodes that may be chosen. The second, of the extension MultiVolumeExplorer, is derived from the first.
INPUT_CLASSES = ("vtkMRMLScalarVolumeNode", "vtkMRMLMultiVolumeNode")


def imageFromVolume(volumeNode: slicer.vtkMRMLScalarVolumeNode, frame: int | None = None) -> sitk.Image:
    """The voxels of a volume node as a SimpleITK image in the volume's own space (its parent transform left out).

    The voxels are copied: a change of the image does not change the node, and vice versa. The DICOM attributes that
    `MedNCALib.segmentation.input_checks` goes by are added, if the application's database knows them.

    Args:
        volumeNode: the volume.
        frame: which value of each voxel, from 0, if these are frames; None for a volume of one value.

    Raises:
        ImageError: no volume, no voxels, several values a voxel, a label map, or axes that are not perpendicular.
    """
    checkVolume(volumeNode, holdsFrames=frame is not None)
    imageData = volumeNode.GetImageData()
    voxels = vtk_to_numpy(imageData.GetPointData().GetScalars()).reshape(*imageData.GetDimensions()[::-1], -1)
    voxels = voxels[..., frame or 0]
    image = sitk.GetImageFromArray(voxels)
    placeImage(image, ijkToRasOfVolume(volumeNode))
    for attribute, value in _dicomAttributes(volumeNode):
        image.SetMetaData(attribute, value)
    return image


def volumeFromImage(image: sitk.Image, name: str) -> slicer.vtkMRMLScalarVolumeNode:
    """Add a scalar volume node with the voxels and geometry of an image.

    Raises:
        RuntimeError: the image has more or less than three dimensions.
    """
    if image.GetDimension() != 3:
        raise RuntimeError(f"A volume node has 3 dimensions, the image {image.GetDimension()}.")
    return slicer.util.addVolumeFromArray(sitk.GetArrayViewFromImage(image), ijkToRasOfImage(image), name)


def canBeInput(node: slicer.vtkMRMLVolumeNode) -> bool:
    """Whether a volume node may be the one to segment: an image, and not made by a model."""
    return node.GetClassName() in INPUT_CLASSES and modelOf(node) is None


def firstInput() -> slicer.vtkMRMLScalarVolumeNode | None:
    """The first volume of the scene that may be segmented, or None."""
    return next(filter(canBeInput, slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")), None)


def isMultiVolume(volumeNode: slicer.vtkMRMLScalarVolumeNode | None) -> bool:
    """Whether the values of a voxel are frames, as in the nodes of the MultiVolume importer."""
    if volumeNode is None or volumeNode.GetImageData() is None or not volumeNode.GetAttribute(_FRAME_COUNT):
        return False
    return volumeNode.GetImageData().GetNumberOfScalarComponents() > 1


def checkVolume(volumeNode: slicer.vtkMRMLScalarVolumeNode, holdsFrames: bool = False) -> None:
    """Refuse, in words for the user, a node that cannot be segmented as it is.

    Args:
        volumeNode: the node.
        holdsFrames: whether the values of a voxel are frames.

    Raises:
        ImageError: see `imageFromVolume`; also for a parent transform that is not linear.
    """
    if volumeNode is None:
        raise mednca.ImageError(_("No input volume: choose one."))
    name = volumeNode.GetName()
    if not volumeNode.IsA("vtkMRMLScalarVolumeNode"):
        raise mednca.ImageError(_("{name} is not a volume: choose a volume.").format(name=name))
    if volumeNode.IsA("vtkMRMLLabelMapVolumeNode"):
        raise mednca.ImageError(
            _("{name} is a label map, not an image: choose the volume that it was made from.").format(name=name)
        )
    imageData = volumeNode.GetImageData()
    if imageData is None or imageData.GetNumberOfPoints() == 0 or imageData.GetPointData().GetScalars() is None:
        raise mednca.ImageError(_("{name} has no voxels: load its data or choose another volume.").format(name=name))
    components = imageData.GetNumberOfScalarComponents()
    if not holdsFrames and isMultiVolume(volumeNode):
        raise mednca.ImageError(
            _("{name} holds {count} frames: tick All frames of the sequence (allFrames=True).").format(
                name=name, count=components
            )
        )
    if components != 1 and not holdsFrames:
        raise mednca.ImageError(
            _(
                "{name} has {components} values in each voxel (a colour or vector volume): convert it to a volume of"
                " one value, for example with the module Vector to Scalar Volume."
            ).format(name=name, components=components)
        )
    _checkPerpendicular(volumeNode)
    transformNode = volumeNode.GetParentTransformNode()
    if transformNode is not None and not transformNode.IsTransformToWorldLinear():
        raise mednca.ImageError(
            _("{name} is under the non-linear transform {transform}: harden the transform first.").format(
                name=name, transform=transformNode.GetName()
            )
        )


def checkUnchanged(volumeNode: slicer.vtkMRMLScalarVolumeNode, image: sitk.Image) -> None:
    """Refuse to go on if a volume node has left the scene, or has another grid, since the image was taken.

    Raises:
        ImageError: it was deleted or changed.
    """
    name = volumeNode.GetName()
    if volumeNode.GetScene() is None:
        raise mednca.ImageError(_("{name} was deleted during the run: choose another volume.").format(name=name))
    imageData = volumeNode.GetImageData()
    size = imageData.GetDimensions() if imageData else (0, 0, 0)
    if size != image.GetSize() or not np.allclose(ijkToRasOfVolume(volumeNode), ijkToRasOfImage(image), atol=1e-4):
        raise mednca.ImageError(
            _("{name} was changed during the run (moved, resampled or cropped): run again.").format(name=name)
        )


def _dicomAttributes(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> Iterator[tuple[str, str]]:
    database = getattr(slicer, "dicomDatabase", None)
    instances = (volumeNode.GetAttribute("DICOM.instanceUIDs") or "").split()
    if database is not None and instances:
        for attribute in (MODALITY, BODY_PART, ECHO_TIME):
            value = database.instanceValue(instances[0], attribute.replace("|", ","))
            if value:
                yield attribute, value


def _checkPerpendicular(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> None:
    axes = ijkToRasOfVolume(volumeNode)[:3, :3]
    directions = axes / np.linalg.norm(axes, axis=0)
    cosines = directions.T @ directions - np.eye(3)
    if not np.all(np.abs(cosines) < _SHEAR_TOLERANCE):
        raise mednca.ImageError(
            _(
                "The axes of {name} are not perpendicular (a sheared volume): resample it first, for example with the"
                " module Resample Scalar/Vector/DWI Volume."
            ).format(name=volumeNode.GetName())
        )
