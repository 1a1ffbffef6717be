"""Labels -> the segments of a segmentation node."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import numpy_to_vtk

import MedNCALib as mednca

from ..derived_nodes import LABEL_TAG, MODEL_TAG, placeBeside
from ..inputs.geometry import ijkToRasOfImage
from ..inputs.segment_voxels import imageOnGrid, voxelsOfSegment
from ..inputs.segment_voxels import segmentsOf as _segments
from ..inputs.segment_voxels import segmentTag as _tag
from ..transforms import between

_BINARY = "Binary labelmap"  # vtkSegmentationConverter's names of representations
_SURFACE = "Closed surface"
_GEOMETRY = "Reference image geometry"  # a conversion parameter


def checkTarget(segmentationNode: slicer.vtkMRMLSegmentationNode | None) -> None:
    """Refuse, in words for the user, a segmentation node that segments cannot be written to; None is a new one.

    Raises:
        ImageError: not a segmentation, not in the scene, or one whose segments are not stored as voxels.
    """
    if segmentationNode is None:
        return
    name = segmentationNode.GetName()
    if not segmentationNode.IsA("vtkMRMLSegmentationNode"):
        raise mednca.ImageError(_("{name} is not a segmentation: choose one, or a new one.").format(name=name))
    if segmentationNode.GetScene() is None:
        raise mednca.ImageError(_("The segmentation {name} was deleted: choose another one.").format(name=name))
    segmentation = segmentationNode.GetSegmentation()
    if segmentation.GetNumberOfSegments() and segmentation.GetSourceRepresentationName() != _BINARY:
        raise mednca.ImageError(
            _(
                "The segments of {name} are stored as surfaces: choose another segmentation, or make binary labelmap"
                " its source representation in the module Segmentations."
            ).format(name=name)
        )


def writeSegments(
    labels: sitk.Image,
    model: mednca.Model,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    segmentationNode: slicer.vtkMRMLSegmentationNode | None = None,
    labelTable: Sequence[mednca.Label] = (),
) -> slicer.vtkMRMLSegmentationNode:
    """Write a model's labels as segments.

    Each label gives one segment, an empty one if nothing was found, with the label's name, colour and
    terminology. Segments that the same model made in this node before are replaced and keep their place and identifier;
    all others stay as they are. A new node is named after volume and model and stands beside the volume.

    Args:
        labels: uint8 image with the geometry of the volume in the volume's own space.
        model: the model.
        volumeNode: the volume.
        segmentationNode: the node to write to; None for a new one.
        labelTable: what the values of the image mean, see `MedNCALib.Result`; by default the model's labels.

    Returns:
        The segmentation node.

    Raises:
        ImageError: see `checkTarget`; also if the node holds other segments under a non-linear transform.
    """
    checkTarget(segmentationNode)
    if segmentationNode is None:
        name = slicer.mrmlScene.GenerateUniqueName(f"{volumeNode.GetName()}_{model.name}")
        segmentationNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
        placeBeside(segmentationNode, volumeNode)
    labelmap = _labelmapFromImage(labels)
    _shareSpace(labelmap, model, volumeNode, segmentationNode)
    if segmentationNode.GetDisplayNode() is None:
        segmentationNode.CreateDefaultDisplayNodes()
    if segmentedVolume(segmentationNode) is None:
        segmentationNode.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    _replaceSegments(labelmap, labelTable or model.labels, model, segmentationNode)
    return segmentationNode


def segmentedVolume(segmentationNode: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The volume that a segmentation was made for, by its reference geometry."""
    return segmentationNode.GetNodeReference(segmentationNode.GetReferenceImageGeometryReferenceRole())


def segmentsOfModel(model: mednca.Model, segmentationNode: slicer.vtkMRMLSegmentationNode) -> dict[int, str]:
    """Label value -> identifier of the segment that the model made for it in this node."""
    segmentation = segmentationNode.GetSegmentation()
    return {
        int(_tag(segment, LABEL_TAG)): segmentId
        for segmentId in segmentation.GetSegmentIDs()
        if _tag(segment := segmentation.GetSegment(segmentId), MODEL_TAG) == model.name
    }


def imageOfSegment(
    frameNode: slicer.vtkMRMLSegmentationNode,
    modelName: str,
    value: int,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    segmentationNode: slicer.vtkMRMLSegmentationNode,
) -> sitk.Image:
    """The voxels of a segment that a model has made, as they are now: 1 inside, on the grid of a volume.

    Args:
        frameNode: holds the segment; it may be a frame of a sequence, which is in no scene and so under no transform.
        modelName, value: of the model, and of its label.
        volumeNode: the volume.
        segmentationNode: the node in the scene that plays the frame, or `frameNode` itself.

    Returns:
        uint8, all 0 if there is no such segment.
    """
    voxels = np.zeros(volumeNode.GetImageData().GetDimensions()[::-1], bool)
    tags = modelName, str(value)
    for segment in _segments(frameNode):
        if (_tag(segment, MODEL_TAG), _tag(segment, LABEL_TAG)) == tags:
            voxels = voxelsOfSegment(segment, frameNode, volumeNode, segmentationNode)
    return imageOnGrid(voxels, volumeNode)


def segmentationsOf(
    modelName: str, volumeNode: slicer.vtkMRMLScalarVolumeNode | None
) -> list[slicer.vtkMRMLSegmentationNode]:
    """The segmentation nodes of a volume in which a model has made segments."""
    if volumeNode is None:
        return []
    return [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        if segmentedVolume(node) is volumeNode
        and any(_tag(segment, MODEL_TAG) == modelName for segment in _segments(node))
    ]


def rememberSegments(model: mednca.Model, segmentationNode: slicer.vtkMRMLSegmentationNode) -> Callable[[], None]:
    """A function that undoes what `writeSegments` does to a segmentation node from now on."""
    segmentation = segmentationNode.GetSegmentation()
    order = segmentation.GetSegmentIDs()
    copies = {segmentId: slicer.vtkSegment() for segmentId in segmentsOfModel(model, segmentationNode).values()}
    for segmentId, copy in copies.items():
        copy.DeepCopy(segmentation.GetSegment(segmentId))
    source, hadSurface = segmentation.GetSourceRepresentationName(), segmentation.ContainsRepresentation(_SURFACE)
    geometry = segmentation.GetConversionParameter(_GEOMETRY)
    geometryRole = segmentationNode.GetReferenceImageGeometryReferenceRole()
    geometryId, transformId = segmentationNode.GetNodeReferenceID(geometryRole), segmentationNode.GetTransformNodeID()

    def restore() -> None:
        with slicer.util.NodeModify(segmentationNode):
            for segmentId in set(segmentation.GetSegmentIDs()).difference(order):
                segmentation.RemoveSegment(segmentId)
            for segmentId, copy in copies.items():
                if segmentation.GetSegment(segmentId) is None:
                    segmentation.AddSegment(copy, segmentId)
                else:
                    segmentation.GetSegment(segmentId).DeepCopy(copy)
            for index, segmentId in enumerate(order):
                segmentation.SetSegmentIndex(segmentId, index)
            if not order:
                segmentation.SetSourceRepresentationName(source)
            segmentation.SetConversionParameter(_GEOMETRY, geometry)
            segmentationNode.SetNodeReferenceID(geometryRole, geometryId)
            segmentationNode.SetAndObserveTransformNodeID(transformId)
            if hadSurface:  # those of other segments go when voxels of one change
                segmentation.CreateRepresentation(_SURFACE, True)

    return restore


def isShownIn3D(segmentationNode: slicer.vtkMRMLSegmentationNode | None) -> bool:
    """Whether the segments have surfaces, which the 3D views show."""
    return segmentationNode is not None and segmentationNode.GetSegmentation().ContainsRepresentation(_SURFACE)


def showIn3D(segmentationNode: slicer.vtkMRMLSegmentationNode, shown: bool) -> None:
    """Make the surfaces of all segments and show them, or remove them. The first may take seconds."""
    if not shown:
        segmentationNode.RemoveClosedSurfaceRepresentation()
        return
    segmentationNode.CreateClosedSurfaceRepresentation()
    segmentationNode.GetDisplayNode().SetVisibility3D(True)


def _shareSpace(
    labelmap: slicer.vtkOrientedImageData,
    model: mednca.Model,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    segmentationNode: slicer.vtkMRMLSegmentationNode,
) -> None:
    """Put what is written on the anatomy, whatever transforms the volume and the segmentation are under.

    The segmentation goes under the volume's transform before anything is written to it. If it holds segments of
    somebody else it cannot be moved: then the labelmap goes into the space of the segmentation.
    """
    others = set(segmentationNode.GetSegmentation().GetSegmentIDs()) - set(
        segmentsOfModel(model, segmentationNode).values()
    )
    if not others:
        segmentationNode.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
        segmentationNode.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
        return
    if not slicer.vtkMRMLTransformNode.IsGeneralTransformLinear(between(volumeNode, segmentationNode)):
        raise mednca.ImageError(
            _("{name} is under a non-linear transform: harden it first, or choose a new segmentation.").format(
                name=segmentationNode.GetName()
            )
        )
    # Not vtkOrientedImageDataResample.TransformOrientedImage, which takes only one of several chained transforms.
    matrix = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(
        volumeNode.GetParentTransformNode(), segmentationNode.GetParentTransformNode(), matrix
    )
    imageToWorld = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(imageToWorld)
    vtk.vtkMatrix4x4.Multiply4x4(matrix, imageToWorld, imageToWorld)
    labelmap.SetImageToWorldMatrix(imageToWorld)


def _replaceSegments(
    labelmap: slicer.vtkOrientedImageData,
    labels: Sequence[mednca.Label],
    model: mednca.Model,
    segmentationNode: slicer.vtkMRMLSegmentationNode,
) -> None:
    segmentation = segmentationNode.GetSegmentation()
    if segmentation.GetNumberOfSegments() == 0:
        segmentation.SetSourceRepresentationName(_BINARY)
    hasSurface = segmentation.ContainsRepresentation(_SURFACE)
    previous = segmentsOfModel(model, segmentationNode)
    with slicer.util.NodeModify(segmentationNode):
        for label in labels:
            described = _describedSegment(label, model)
            segmentId = previous.pop(label.value, None)
            if segmentId is None:
                described.AddRepresentation(_BINARY, labelmap)
                if not segmentation.AddSegment(described):
                    raise RuntimeError(f"The segment {label.name} could not be added to {segmentationNode.GetName()}.")
            else:
                # Clearing also takes the voxels out of a labelmap that the segment shares with others.
                segmentation.ClearSegment(segmentId)
                segment = segmentation.GetSegment(segmentId)
                segment.DeepCopyMetadata(described)
                segment.AddRepresentation(_BINARY, labelmap)
        for segmentId in previous.values():  # labels of an earlier version of the model, or of another side
            segmentation.RemoveSegment(segmentId)
        if hasSurface:
            segmentation.CreateRepresentation(_SURFACE, True)


def _describedSegment(label: mednca.Label, model: mednca.Model) -> slicer.vtkSegment:
    """A segment without voxels, with name, colour and terminology of a label."""
    segment = slicer.vtkSegment()
    segment.SetName(label.name)
    segment.SetColor(*(component / 255 for component in label.color))
    # Both are the model's own; Slicer shall not derive them from the terminology.
    segment.SetNameAutoGenerated(False)
    segment.SetColorAutoGenerated(False)
    segment.SetLabelValue(label.value)
    segment.SetTag(segment.GetTerminologyEntryTagName(), label.terminology_entry)
    segment.SetTag(MODEL_TAG, model.name)
    segment.SetTag(LABEL_TAG, str(label.value))
    return segment


def _labelmapFromImage(labels: sitk.Image) -> slicer.vtkOrientedImageData:
    """An image as vtkOrientedImageData in RAS, cut to the voxels that are not background."""
    voxels = sitk.GetArrayViewFromImage(labels)
    bounds: list[tuple[int, int]] = []  # first and last index along k, j, i
    for axis in range(3):
        indices = np.flatnonzero(voxels.any(axis=tuple(other for other in range(3) if other != axis)))
        bounds.append((int(indices[0]), int(indices[-1])) if len(indices) else (0, -1))
    cut = np.ascontiguousarray(voxels[tuple(slice(first, last + 1) for first, last in bounds)])

    labelmap = slicer.vtkOrientedImageData()
    labelmap.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(ijkToRasOfImage(labels)))
    labelmap.SetExtent([index for pair in reversed(bounds) for index in pair])
    scalars = numpy_to_vtk(cut.ravel(), deep=True, array_type=vtk.VTK_UNSIGNED_CHAR)
    scalars.SetName("ImageScalars")
    labelmap.GetPointData().SetScalars(scalars)
    return labelmap
