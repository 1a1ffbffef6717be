"""A model's own result, kept with each of its segments: what differs from it is a person's correction.

It is a tag of the segment. So it is saved with the segmentation, also in a file without a scene and in the frames of a
sequence, and the Segment Editor's Undo brings it back together with the voxels.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

import MedNCALib as mednca
from MedNCALib.segmentation.found_structures import Finding
from MedNCALib.segmentation.hint_input import BACKGROUND

from ..derived_nodes import KEPT_TAG, MODEL_TAG
from .found_boxes import findingFromJson, findingOf
from .segments import (
    imageOnGridOf,
    keptSegments,
    labelmapFromImage,
    onGridOf,
    placeIn,
    replaceVoxels,
    segmentsOfModel,
    tagOf,
    voxelsOfSegment,
)

_BINARY = "Binary labelmap"
# What the bits of a kept voxel say of a label: it is the model's own, it was written last, a person has said so; and a
# person has said that this is background.
_OWN, _LATEST, _SAID, _SAID_BACKGROUND = 1, 2, 4, 8
# How far, in voxels, the grid of a segment may lie from that of what is kept: files round.
_TOLERANCE = 1e-2


@dataclass(frozen=True)
class Origin:
    """How a model came to its segments; `MedNCALib.regrow` takes the same.

    Attributes:
        model: its name.
        region: box that the run was limited to, None without.
        protocol: name of the segmentation protocol, None for a model that knows only one.
        finding: what the finder has found, None if it did not look.
    """

    model: str
    region: tuple[float, ...] | None = None
    protocol: str | None = None
    finding: Finding | None = None


@dataclass(frozen=True)
class Corrected:
    """Segments and what is kept of them, as labels on the grid of a volume: uint8, shape (slices, rows, columns).

    Attributes:
        origin: how they came about.
        segmentIds: identifier of the segment of each label.
        labels: as they are.
        own: the model's own.
        latest: as they were written last.
        said: corrections that they have grown from: a label, 255 for background, 0 for nothing said.
    """

    origin: Origin
    segmentIds: Mapping[int, str]
    labels: np.ndarray
    own: np.ndarray
    latest: np.ndarray
    said: np.ndarray

    @property
    def edited(self) -> np.ndarray:
        """Whether a voxel has been edited since the segments were written last."""
        return self.labels != self.latest

    @property
    def allSaid(self) -> np.ndarray:
        """The corrections, with those that are new."""
        return np.where(self.edited, np.where(self.labels > 0, self.labels, BACKGROUND), self.said).astype(np.uint8)


def keepResult(
    segmentationNode: slicer.vtkMRMLSegmentationNode,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    model: mednca.Model,
    result: mednca.Result,
    region: Sequence[float] | None,
) -> None:
    """Keep a model's result with the segments that were written from it.

    Args:
        segmentationNode, volumeNode, model, result: what `writeSegments` has written where.
        region: box that the run was limited to.
    """
    finding = Finding(result.found, result.brain_ml, result.notes) if result.found else None
    origin = Origin(model.name, None if region is None else tuple(region), result.protocol, finding)
    labels = sitk.GetArrayFromImage(result.labels)
    keep(
        segmentationNode,
        volumeNode,
        Corrected(origin, segmentsOfModel(model, segmentationNode), labels, labels, labels, np.zeros_like(labels)),
    )


def keep(
    segmentationNode: slicer.vtkMRMLSegmentationNode, volumeNode: slicer.vtkMRMLScalarVolumeNode, corrected: Corrected
) -> None:
    """Keep what belongs to segments that were just written on the grid of a volume."""
    inUse = (corrected.own > 0) | (corrected.latest > 0) | (corrected.said > 0)
    labelmap = labelmapFromImage(imageOnGridOf(volumeNode, inUse.astype(np.uint8)))
    placeIn(segmentationNode, labelmap, volumeNode)
    extent = labelmap.GetExtent()
    cut = tuple(slice(first, last + 1) for first, last in zip(extent[4::-2], extent[5::-2]))
    own, latest, said = (labels[cut] for labels in (corrected.own, corrected.latest, corrected.said))
    for value, segmentId in corrected.segmentIds.items():
        bits = np.where(said == BACKGROUND, _SAID_BACKGROUND, 0).astype(np.uint8)
        for bit, labels in ((_OWN, own), (_LATEST, latest), (_SAID, said)):
            bits[labels == value] |= bit
        _setKept(segmentationNode, segmentId, _Kept(corrected.origin, value, _like(labelmap, bits)))


def startFrom(
    segmentationNode: slicer.vtkMRMLSegmentationNode, model: mednca.Model, segmentIds: Mapping[int, str]
) -> None:
    """Take segments as they are, whatever they were made by, as what corrections start from."""
    origin = Origin(model.name, finding=findingOf(segmentationNode, model.name))
    for value, segmentId in segmentIds.items():
        labelmap = slicer.vtkOrientedImageData()
        segmentationNode.GetBinaryLabelmapRepresentation(segmentId, labelmap)
        bits = np.where(_array(labelmap) > 0, _OWN | _LATEST, 0).astype(np.uint8)
        _setKept(segmentationNode, segmentId, _Kept(origin, value, _like(labelmap, bits)))


def makerOf(segmentationNode: slicer.vtkMRMLSegmentationNode | None) -> str | None:
    """Name of the model whose result is kept with a segmentation, else of one that has made segments in it."""
    if segmentationNode is None:
        return None
    kept = next(_allKept(segmentationNode), None)
    if kept is not None:
        return kept.origin.model
    segmentation = segmentationNode.GetSegmentation()
    tags = (tagOf(segmentation.GetSegment(each), MODEL_TAG) for each in segmentation.GetSegmentIDs())
    return next(filter(None, tags), None)


def keptTexts(segmentationNode: slicer.vtkMRMLSegmentationNode) -> tuple[str, ...]:
    """What is kept with the segments, in a form that compares."""
    segmentation = segmentationNode.GetSegmentation()
    return tuple(tagOf(segmentation.GetSegment(each), KEPT_TAG) for each in keptSegments(segmentationNode))


def isKept(segmentationNode: slicer.vtkMRMLSegmentationNode | None, modelName: str) -> bool:
    """Whether a model's result is kept with segments that lie where they were written."""
    return segmentationNode is not None and bool(_keptOf(segmentationNode, modelName))


def isEdited(segmentationNode: slicer.vtkMRMLSegmentationNode) -> bool:
    """Whether segments with which a result is kept have been edited since they were written last."""
    return any(
        _isEdited(segmentationNode.GetSegmentation().GetSegment(segmentId), kept)
        for segmentId, kept in _lying(segmentationNode)
    )


def hasCorrections(segmentationNode: slicer.vtkMRMLSegmentationNode) -> bool:
    """Whether segments have grown from corrections, or have been edited."""
    said = _SAID | _SAID_BACKGROUND
    return isEdited(segmentationNode) or any(
        (_array(kept.labelmap) & said).any() for _segmentId, kept in _lying(segmentationNode)
    )


def readCorrected(
    segmentationNode: slicer.vtkMRMLSegmentationNode, volumeNode: slicer.vtkMRMLScalarVolumeNode, modelName: str
) -> Corrected | None:
    """Segments as they are, and what is kept of them, on the grid of a volume; None if nothing is kept.

    Nothing counts as kept of segments that were moved or resampled since, as by hardening a transform.
    """
    kept = _keptOf(segmentationNode, modelName)
    if not kept:
        return None
    labels, own, latest, said = (
        np.zeros(volumeNode.GetImageData().GetDimensions()[::-1], np.uint8) for _number in range(4)
    )
    segmentIds = {each.label: segmentId for segmentId, each in kept.items()}
    for each in kept.values():
        bits = onGridOf(volumeNode, each.labelmap, segmentationNode)
        for bit, array in ((_OWN, own), (_LATEST, latest), (_SAID, said)):
            array[bits & bit > 0] = each.label
        said[bits & _SAID_BACKGROUND > 0] = BACKGROUND
    for value, segmentId in segmentIds.items():
        inside = voxelsOfSegment(segmentationNode, segmentId, volumeNode)
        # In two segments at once: the one that it was not in before is the edit.
        labels[inside & ((labels == 0) | (labels == latest))] = value
    return Corrected(next(iter(kept.values())).origin, segmentIds, labels, own, latest, said)


def forget(segmentationNode: slicer.vtkMRMLSegmentationNode) -> None:
    """Give segments the model's own voxels again, without any correction."""
    for segmentId, kept in list(_lying(segmentationNode)):
        own = _array(kept.labelmap) & _OWN
        replaceVoxels(segmentationNode, _like(kept.labelmap, own * np.uint8(kept.label)), {kept.label: segmentId})
        bits = own * np.uint8(_OWN | _LATEST)
        _setKept(segmentationNode, segmentId, replace(kept, labelmap=_like(kept.labelmap, bits)))


@dataclass(frozen=True)
class _Kept:
    """What is kept with one segment; the labelmap is in the space of the segmentation."""

    origin: Origin
    label: int
    labelmap: slicer.vtkOrientedImageData


def _setKept(segmentationNode: slicer.vtkMRMLSegmentationNode, segmentId: str, kept: _Kept) -> None:
    segmentationNode.GetSegmentation().GetSegment(segmentId).SetTag(KEPT_TAG, _textOf(kept))


def _textOf(kept: _Kept) -> str:
    matrix = vtk.vtkMatrix4x4()
    kept.labelmap.GetImageToWorldMatrix(matrix)
    about: dict[str, Any] = {
        "label": kept.label,
        "matrix": slicer.util.arrayFromVTKMatrix(matrix).ravel().tolist(),
        "extent": list(kept.labelmap.GetExtent()),
        **asdict(kept.origin),
    }
    content = json.dumps(about).encode() + b"\n" + _array(kept.labelmap).tobytes()
    return base64.b64encode(zlib.compress(content)).decode()


def _keptFrom(text: str) -> _Kept:
    line, _end, voxels = zlib.decompress(base64.b64decode(text)).partition(b"\n")
    about = json.loads(line)
    labelmap = slicer.vtkOrientedImageData()
    labelmap.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(np.reshape(about["matrix"], (4, 4))))
    labelmap.SetExtent(about["extent"])
    region, finding = about["region"], about["finding"]
    origin = Origin(
        about["model"],
        None if region is None else tuple(region),
        about["protocol"],
        None if finding is None else findingFromJson(finding),
    )
    bits = np.frombuffer(voxels, np.uint8).reshape(labelmap.GetDimensions()[::-1])
    return _Kept(origin, about["label"], _like(labelmap, bits))


def _allKept(segmentationNode: slicer.vtkMRMLSegmentationNode) -> Iterator[_Kept]:
    return map(_keptFrom, keptTexts(segmentationNode))


def _lying(segmentationNode: slicer.vtkMRMLSegmentationNode) -> Iterator[tuple[str, _Kept]]:
    """Identifiers of the segments that lie on the grid that they were written on, and what is kept with them."""
    segmentation = segmentationNode.GetSegmentation()
    for segmentId, kept in zip(keptSegments(segmentationNode), _allKept(segmentationNode)):
        if _offset(segmentation.GetSegment(segmentId), kept) is not None:
            yield segmentId, kept


def _keptOf(segmentationNode: slicer.vtkMRMLSegmentationNode, modelName: str) -> dict[str, _Kept]:
    return {segmentId: kept for segmentId, kept in _lying(segmentationNode) if kept.origin.model == modelName}


def _offset(segment: slicer.vtkSegment, kept: _Kept) -> tuple[int, ...] | None:
    """What to add to an index of a segment's labelmap for that of the same voxel in what is kept; None on other grids.

    An empty segment is on any grid.
    """
    labelmap = segment.GetRepresentation(_BINARY)
    if labelmap is None or labelmap.IsEmpty() or kept.labelmap.IsEmpty():
        return 0, 0, 0
    of, there = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(of)
    kept.labelmap.GetImageToWorldMatrix(there)
    toKept = np.linalg.inv(slicer.util.arrayFromVTKMatrix(there)) @ slicer.util.arrayFromVTKMatrix(of)
    shift = np.rint(toKept[:3, 3])
    expected = np.eye(4)
    expected[:3, 3] = shift
    corners = np.array([*labelmap.GetExtent()[::2], 1]), np.array([*labelmap.GetExtent()[1::2], 1])
    if any(np.abs((toKept - expected) @ corner).max() > _TOLERANCE for corner in corners):
        return None
    return tuple(int(each) for each in shift)


def _isEdited(segment: slicer.vtkSegment, kept: _Kept) -> bool:
    """Whether a segment holds other voxels than were written last."""
    latest = _array(kept.labelmap) & _LATEST > 0
    labelmap, offset = segment.GetRepresentation(_BINARY), _offset(segment, kept)
    if labelmap is None or labelmap.IsEmpty() or offset is None:
        return bool(latest.any())
    now = _array(labelmap) == segment.GetLabelValue()
    if kept.labelmap.IsEmpty():
        return bool(now.any())
    # Both to the part that they share, in indices along k, j, i of what is kept.
    begin = np.array(labelmap.GetExtent()[::2]) + offset
    low = np.array(kept.labelmap.GetExtent()[::2])
    first = np.maximum(begin, low)[::-1]
    last = np.minimum(begin[::-1] + now.shape, low[::-1] + latest.shape)
    inNow = tuple(slice(max(a, 0), max(b, 0)) for a, b in zip(first - begin[::-1], last - begin[::-1]))
    inLatest = tuple(slice(max(a, 0), max(b, 0)) for a, b in zip(first - low[::-1], last - low[::-1]))
    both = np.count_nonzero(now[inNow] & latest[inLatest])
    return not (both == np.count_nonzero(now) == np.count_nonzero(latest))


def _array(labelmap: slicer.vtkOrientedImageData) -> np.ndarray:
    """The voxels of a labelmap, shape (slices, rows, columns)."""
    shape = labelmap.GetDimensions()[::-1]
    if labelmap.IsEmpty():
        return np.zeros(shape, np.uint8)
    array: np.ndarray = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(shape)
    return array


def _like(labelmap: slicer.vtkOrientedImageData, voxels: np.ndarray) -> slicer.vtkOrientedImageData:
    """A labelmap in the place of another, with other voxels."""
    matrix, copy = vtk.vtkMatrix4x4(), slicer.vtkOrientedImageData()
    labelmap.GetImageToWorldMatrix(matrix)
    copy.SetImageToWorldMatrix(matrix)
    copy.SetExtent(labelmap.GetExtent())
    scalars = numpy_to_vtk(np.ascontiguousarray(voxels, np.uint8).ravel(), deep=True, array_type=vtk.VTK_UNSIGNED_CHAR)
    scalars.SetName("ImageScalars")
    copy.GetPointData().SetScalars(scalars)
    return copy
