"""Labels -> the segments of a segmentation node."""

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import numpy_to_vtk

import MedNCALib as mednca

from ..inputs.geometry import ijkToRasOfImage
from .subject_hierarchy import placeBeside

# Tags of a segment that tell which model made it, and for which of the model's labels.
MODEL_TAG = "MedNCA.Model"
LABEL_TAG = "MedNCA.Label"
# Under this role the other nodes that a model has made refer to the volume that they were made for.
INPUT_ROLE = "MedNCA.Input"

_BINARY = "Binary labelmap"  # vtkSegmentationConverter's names of representations
_SURFACE = "Closed surface"


def checkTarget(segmentationNode) -> None:
    """Refuse, in words for the user, a segmentation node that segments cannot be written to; None is a new one.

    :raises ImageError: not a segmentation, not in the scene, or one whose segments are not stored as voxels.
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


def writeSegments(labels: sitk.Image, model, volumeNode, segmentationNode=None):
    """Write a model's labels as segments, and return the segmentation node.

    Each label of the model gives one segment, also where nothing was found, with the label's name, colour and
    terminology. Segments that the same model made in this node before are replaced and keep their place and identifier;
    all others stay as they are. A new node is named after volume and model and stands beside the volume.

    :param labels: uint8 image with the geometry of the volume in the volume's own space.
    :param segmentationNode: the node to write to; None for a new one.
    :raises ImageError: see `checkTarget`; also if the node holds other segments under a non-linear transform.
    """
    checkTarget(segmentationNode)
    isNew = segmentationNode is None
    if isNew:
        name = slicer.mrmlScene.GenerateUniqueName(f"{volumeNode.GetName()}_{model.name}")
        segmentationNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    try:
        labelmap = _labelmapFromImage(labels)
        _shareSpace(labelmap, model, volumeNode, segmentationNode)
        if segmentationNode.GetDisplayNode() is None:
            segmentationNode.CreateDefaultDisplayNodes()
        if not segmentationNode.GetNodeReference(segmentationNode.GetReferenceImageGeometryReferenceRole()):
            segmentationNode.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
        _replaceSegments(labelmap, model, segmentationNode)
        if isNew:
            placeBeside(segmentationNode, volumeNode)
    except Exception:
        if isNew:
            slicer.mrmlScene.RemoveNode(segmentationNode)
        raise
    return segmentationNode


def segmentsOfModel(model, segmentationNode) -> dict[int, str]:
    """Label value -> identifier of the segment that the model made for it in this node."""
    segmentation = segmentationNode.GetSegmentation()
    return {
        int(_tag(segment, LABEL_TAG)): segmentId
        for segmentId in segmentation.GetSegmentIDs()
        if _tag(segment := segmentation.GetSegment(segmentId), MODEL_TAG) == model.name
    }


def segmentationsOf(modelName: str, volumeNode) -> list:
    """The segmentation nodes of a volume in which a model has made segments."""
    if volumeNode is None:
        return []
    return [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        if node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is volumeNode
        and any(_tag(segment, MODEL_TAG) == modelName for segment in _segments(node))
    ]


def _segments(segmentationNode) -> list:
    segmentation = segmentationNode.GetSegmentation()
    return [segmentation.GetNthSegment(number) for number in range(segmentation.GetNumberOfSegments())]


def _shareSpace(labelmap, model, volumeNode, segmentationNode) -> None:
    """Make what is written lie on the anatomy, wherever the volume's parent transform has put that.

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
    between = vtk.vtkGeneralTransform()
    volumeParent, segmentationParent = volumeNode.GetParentTransformNode(), segmentationNode.GetParentTransformNode()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(volumeParent, segmentationParent, between)
    if not slicer.vtkMRMLTransformNode.IsGeneralTransformLinear(between):
        raise mednca.ImageError(
            _("{name} is under a non-linear transform: harden it first, or choose a new segmentation.").format(
                name=segmentationNode.GetName()
            )
        )
    # Not vtkOrientedImageDataResample.TransformOrientedImage, which takes only one of several chained transforms.
    matrix = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(volumeParent, segmentationParent, matrix)
    imageToWorld = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(imageToWorld)
    vtk.vtkMatrix4x4.Multiply4x4(matrix, imageToWorld, imageToWorld)
    labelmap.SetImageToWorldMatrix(imageToWorld)


def _replaceSegments(labelmap, model, segmentationNode) -> None:
    segmentation = segmentationNode.GetSegmentation()
    if segmentation.GetNumberOfSegments() == 0:
        segmentation.SetSourceRepresentationName(_BINARY)
    hasSurface = segmentation.ContainsRepresentation(_SURFACE)
    previous = segmentsOfModel(model, segmentationNode)
    with slicer.util.NodeModify(segmentationNode):
        for label in model.labels:
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
        for segmentId in previous.values():  # labels that an earlier version of the model had
            segmentation.RemoveSegment(segmentId)
        if hasSurface:
            segmentation.CreateRepresentation(_SURFACE, True)


def _describedSegment(label, model):
    """A segment without voxels that carries all that is known of a label."""
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


def _labelmapFromImage(labels: sitk.Image):
    """An image as vtkOrientedImageData in RAS, cut to the voxels that are not background."""
    voxels = sitk.GetArrayViewFromImage(labels)
    bounds = []  # first and last index along k, j, i
    for axis in range(3):
        indices = np.flatnonzero(voxels.any(axis=tuple(other for other in range(3) if other != axis)))
        bounds.append((indices[0], indices[-1]) if len(indices) else (0, -1))
    cut = np.ascontiguousarray(voxels[tuple(slice(first, last + 1) for first, last in bounds)])

    labelmap = slicer.vtkOrientedImageData()
    labelmap.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(ijkToRasOfImage(labels)))
    labelmap.SetExtent([int(index) for pair in reversed(bounds) for index in pair])
    scalars = numpy_to_vtk(cut.ravel(), deep=True, array_type=vtk.VTK_UNSIGNED_CHAR)
    scalars.SetName("ImageScalars")
    labelmap.GetPointData().SetScalars(scalars)
    return labelmap


def _tag(segment, name: str) -> str:
    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else ""
