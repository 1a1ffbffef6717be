"""Labels -> the segments of a segmentation node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

import MedNCALib as mednca

from ..derived_nodes import KEPT_TAG, LABEL_TAG, MODEL_TAG, placeBeside
from ..inputs.geometry import ijkToRasOfImage, ijkToRasOfVolume, placeImage
from ..transforms import between

_BINARY = "Binary labelmap"  # vtkSegmentationConverter's names of representations
_SURFACE = "Closed surface"
_GEOMETRY = "Reference image geometry"  # a conversion parameter

# Of a vtkSegmentation: voxels were edited, or segments added, removed or given other tags.
EDIT_EVENTS = (
    slicer.vtkSegmentation.SourceRepresentationModified,
    slicer.vtkSegmentation.SegmentModified,
    slicer.vtkSegmentation.SegmentRemoved,
)


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
    labelmap = labelmapFromImage(labels)
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
        int(tagOf(segment, LABEL_TAG)): segmentId
        for segmentId in segmentation.GetSegmentIDs()
        if tagOf(segment := segmentation.GetSegment(segmentId), MODEL_TAG) == model.name
    }


def segmentsFor(model: mednca.Model, segmentationNode: slicer.vtkMRMLSegmentationNode) -> dict[int, str]:
    """Label value -> identifier of the segment that shows this label of a model, whatever has made it.

    These are the segments that the model made; if there are none, those with the names of its labels; if there are
    none either, the only segment for the only label.

    Raises:
        ImageError: there is no such segment.
    """
    own = segmentsOfModel(model, segmentationNode)
    if own:
        return own
    segmentation = segmentationNode.GetSegmentation()
    ids = segmentation.GetSegmentIDs()
    named = {segmentation.GetSegment(each).GetName().casefold(): each for each in reversed(ids)}
    found = {label.value: named[label.name.casefold()] for label in model.all_labels if label.name.casefold() in named}
    if not found and len(ids) == len(model.labels) == 1:
        found = {model.labels[0].value: ids[0]}
    if not found:
        raise mednca.ImageError(
            _(
                "None of the segments of {name} is one that the model {model} draws: give them the names {labels}."
            ).format(
                name=segmentationNode.GetName(),
                model=model.name,
                labels=", ".join(label.name for label in model.labels),
            )
        )
    return found


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
    tags = modelName, str(value)
    voxels: np.ndarray | None = None
    for segment in segmentsOf(frameNode):
        if (tagOf(segment, MODEL_TAG), tagOf(segment, LABEL_TAG)) == tags:
            segmentId = frameNode.GetSegmentation().GetSegmentIdBySegment(segment)
            voxels = voxelsOfSegment(frameNode, segmentId, volumeNode, segmentationNode)
    if voxels is None:
        voxels = np.zeros(volumeNode.GetImageData().GetDimensions()[::-1], bool)
    return imageOnGridOf(volumeNode, voxels.astype(np.uint8))


def voxelsOfSegment(
    frameNode: slicer.vtkMRMLSegmentationNode,
    segmentId: str,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    segmentationNode: slicer.vtkMRMLSegmentationNode | None = None,
) -> np.ndarray:
    """Whether each voxel of a volume is in a segment: shape (slices, rows, columns).

    Args:
        frameNode, segmentationNode: see `imageOfSegment`; by default the frame is in the scene itself.
        segmentId: of the segment.
        volumeNode: the volume.
    """
    labelmap = slicer.vtkOrientedImageData()
    frameNode.GetBinaryLabelmapRepresentation(segmentId, labelmap)
    voxels: np.ndarray = onGridOf(volumeNode, labelmap, segmentationNode or frameNode) > 0
    return voxels


def onGridOf(
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    labelmap: slicer.vtkOrientedImageData,
    segmentationNode: slicer.vtkMRMLSegmentationNode,
) -> np.ndarray:
    """The values of a labelmap at the voxels of a volume; 0 outside of it.

    Args:
        volumeNode: the volume.
        labelmap: in the space of a segmentation's own coordinates.
        segmentationNode: the segmentation.

    Returns:
        uint8, shape (slices, rows, columns).
    """
    grid, resampled = slicer.vtkOrientedImageData(), slicer.vtkOrientedImageData()
    grid.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(ijkToRasOfVolume(volumeNode)))
    grid.SetDimensions(volumeNode.GetImageData().GetDimensions())
    shape = grid.GetDimensions()[::-1]
    isMoved = segmentationNode.GetTransformNodeID() != volumeNode.GetTransformNodeID()
    moved = between(segmentationNode, volumeNode) if isMoved else None
    resample = slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage
    if labelmap.IsEmpty() or not resample(labelmap, grid, resampled, False, False, moved):
        return np.zeros(shape, np.uint8)
    voxels: np.ndarray = vtk_to_numpy(resampled.GetPointData().GetScalars()).reshape(shape).astype(np.uint8)
    return voxels


def imageOnGridOf(volumeNode: slicer.vtkMRMLScalarVolumeNode, voxels: np.ndarray) -> sitk.Image:
    """Voxels on the grid of a volume, shape (slices, rows, columns), as an image in the volume's own space."""
    image = sitk.GetImageFromArray(voxels)
    placeImage(image, ijkToRasOfVolume(volumeNode))
    return image


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
        and any(tagOf(segment, MODEL_TAG) == modelName for segment in segmentsOf(node))
    ]


def rememberSegments(model: mednca.Model, segmentationNode: slicer.vtkMRMLSegmentationNode) -> Callable[[], None]:
    """A function that undoes what `writeSegments` and `replaceVoxels` do to a segmentation node from now on."""
    segmentation = segmentationNode.GetSegmentation()
    order = segmentation.GetSegmentIDs()
    written = {*segmentsOfModel(model, segmentationNode).values(), *keptSegments(segmentationNode)}
    copies = {segmentId: slicer.vtkSegment() for segmentId in written}
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


def keptSegments(segmentationNode: slicer.vtkMRMLSegmentationNode) -> list[str]:
    """Identifiers of the segments with which a model's result is kept, see `kept_results`."""
    segmentation = segmentationNode.GetSegmentation()
    return [each for each in segmentation.GetSegmentIDs() if segmentation.GetSegment(each).HasTag(KEPT_TAG)]


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


def segmentsOf(segmentationNode: slicer.vtkMRMLSegmentationNode) -> list[slicer.vtkSegment]:
    """All segments of a segmentation, in their order."""
    segmentation = segmentationNode.GetSegmentation()
    return [segmentation.GetNthSegment(number) for number in range(segmentation.GetNumberOfSegments())]


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
    placeIn(segmentationNode, labelmap, volumeNode)


def placeIn(
    segmentationNode: slicer.vtkMRMLSegmentationNode,
    labelmap: slicer.vtkOrientedImageData,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
) -> None:
    """Move a labelmap from a volume's own space to that of a segmentation, so that it stays on the anatomy.

    Raises:
        ImageError: a non-linear transform lies between them.
    """
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


def replaceVoxels(
    segmentationNode: slicer.vtkMRMLSegmentationNode,
    labelmap: slicer.vtkOrientedImageData,
    segmentIds: Mapping[int, str],
) -> None:
    """Give segments other voxels; names, colours, tags and all other segments stay.

    Args:
        segmentationNode: holds the segments.
        labelmap: labels, in the space of the segmentation.
        segmentIds: identifier of the segment of each label.
    """
    segmentation = segmentationNode.GetSegmentation()
    hasSurface = segmentation.ContainsRepresentation(_SURFACE)
    with slicer.util.NodeModify(segmentationNode):
        for value, segmentId in segmentIds.items():
            segment = _cleared(segmentation, segmentId)
            segment.SetLabelValue(value)
            segment.AddRepresentation(_BINARY, labelmap)
        if hasSurface:
            segmentation.CreateRepresentation(_SURFACE, True)


def _cleared(segmentation: slicer.vtkSegmentation, segmentId: str) -> slicer.vtkSegment:
    """A segment, without its voxels; they are also taken out of a labelmap that it shares with others."""
    segmentation.ClearSegment(segmentId)
    return segmentation.GetSegment(segmentId)


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
                segment = _cleared(segmentation, segmentId)
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


def labelmapFromImage(labels: sitk.Image) -> slicer.vtkOrientedImageData:
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


def tagOf(segment: slicer.vtkSegment, name: str) -> str:
    """The value of a segment's tag; empty without it."""
    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else ""
