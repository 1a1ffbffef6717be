"""What tests of segmentations ask: which voxels lie where in the world, and what a segment says of itself."""

import numpy as np
import pytest
import SimpleITK as sitk

from support.brightness_model import BRIGHT, MIDDLE, boxes_image, truth_of


@pytest.fixture
def scene(host):
    """What writes segments and finds them again."""
    from MedNCAScene.results import segments

    class Scene:
        write = staticmethod(segments.writeSegments)
        segmentsOfModel = staticmethod(segments.segmentsOfModel)

    return Scene


def add_transform(linear=None, translation=(0, 0, 0)):
    """Add a linear transform node: a 3x3 matrix, then a translation in mm."""
    import slicer

    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3) if linear is None else linear
    matrix[:3, 3] = translation
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    return node


def add_volume(image=None, name="head"):
    """Add a volume node, by default of the two boxes."""
    from MedNCAScene.inputs.volumes import volumeFromImage

    return volumeFromImage(boxes_image() if image is None else image, name)


def labels_of(image):
    labels = sitk.GetImageFromArray(truth_of(image))
    labels.CopyInformation(image)
    return labels


def voxels_in_world(segmentationNode, segmentId):
    """World RAS of the centre of each voxel of a segment, sorted, shape (n, 3): read from the node alone."""
    import slicer
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    labelmap = slicer.vtkOrientedImageData()
    segmentationNode.GetBinaryLabelmapRepresentation(segmentId, labelmap)
    imageToWorld = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(imageToWorld)
    extent = labelmap.GetExtent()
    voxels = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(labelmap.GetDimensions()[::-1])
    indices = np.argwhere(voxels)[:, ::-1] + [extent[0], extent[2], extent[4]]
    parentToWorld = vtk.vtkMatrix4x4()
    if segmentationNode.GetParentTransformNode():
        segmentationNode.GetParentTransformNode().GetMatrixTransformToWorld(parentToWorld)
    vtk.vtkMatrix4x4.Multiply4x4(parentToWorld, imageToWorld, imageToWorld)
    return sorted_points(indices, slicer.util.arrayFromVTKMatrix(imageToWorld))


def anatomy_in_world(volumeNode, value):
    """World RAS of the centre of each voxel of the volume that has this value, sorted: read from the node alone."""
    import slicer
    import vtk

    ijkToRas, parentToWorld = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(ijkToRas)
    if volumeNode.GetParentTransformNode():
        volumeNode.GetParentTransformNode().GetMatrixTransformToWorld(parentToWorld)
    indices = np.argwhere(slicer.util.arrayFromVolume(volumeNode) == value)[:, ::-1]
    return sorted_points(
        indices, slicer.util.arrayFromVTKMatrix(parentToWorld) @ slicer.util.arrayFromVTKMatrix(ijkToRas)
    )


def sorted_points(indices, matrix):
    points = np.round(indices @ matrix[:3, :3].T + matrix[:3, 3], 6)
    return points[np.lexsort(points.T)]


def assert_on_the_anatomy(segmentationNode, model, volumeNode):
    from MedNCAScene.results.segments import segmentsOfModel

    segmentIds = segmentsOfModel(model, segmentationNode)
    for label, value in ((1, BRIGHT), (2, MIDDLE)):
        expected = anatomy_in_world(volumeNode, value)
        assert len(expected)
        np.testing.assert_allclose(voxels_in_world(segmentationNode, segmentIds[label]), expected, atol=1e-5)


def add_hand_drawn_segment(segmentationNode, volumeNode, name="lesion"):
    """A segment as the user draws it: over the first slices of the volume, overlapping with what the model finds."""
    import slicer

    voxels = np.zeros(slicer.util.arrayFromVolume(volumeNode).shape, np.uint8)
    voxels[:5, 4:14] = 1
    segmentId = segmentationNode.GetSegmentation().AddEmptySegment("", name, (0.1, 0.2, 0.3))
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, segmentationNode, segmentId, volumeNode)
    return segmentId


def content_of(segmentationNode, segmentId):
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    voxels = voxels_in_world(segmentationNode, segmentId).tolist()
    return segment.GetName(), segment.GetColor(), segment.GetTerminology(), voxels


def new_segmentation(volumeNode, name="mine"):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    return node


def scene_content():
    """What is in the scene, by the identifiers of the nodes, in a form that compares.

    Of each node its class, name, attributes, transform and, of results, voxels, segments, cells, frames. What the
    application keeps for itself (views, selection, subject hierarchy, displays but their fill) does not count.
    """
    import slicer

    skipped = (
        "vtkMRMLSubjectHierarchyNode",
        "vtkMRMLScriptedModuleNode",
        "vtkMRMLSelectionNode",
        "vtkMRMLAbstractViewNode",
    )
    nodes = [slicer.mrmlScene.GetNthNode(index) for index in range(slicer.mrmlScene.GetNumberOfNodes())]
    return {node.GetID(): _content(node) for node in nodes if not any(map(node.IsA, skipped))}


def _content(node):
    attributes = sorted((name, node.GetAttribute(name)) for name in node.GetAttributeNames())
    content = [node.GetClassName(), node.GetName(), tuple(attributes)]
    if node.IsA("vtkMRMLTransformableNode"):
        content.append(node.GetTransformNodeID())
    if node.IsA("vtkMRMLVolumeNode"):
        content.append(_voxels(node))
    if node.IsA("vtkMRMLSegmentationNode"):
        segmentation = node.GetSegmentation()
        content.append(node.GetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole()))
        content.append(segmentation.GetConversionParameter("Reference image geometry"))
        content.append(segmentation.ContainsRepresentation("Closed surface"))
        content.append([(segmentId, *content_of(node, segmentId)) for segmentId in segmentation.GetSegmentIDs()])
    if node.IsA("vtkMRMLSegmentationDisplayNode"):
        shown = node.GetDisplayableNode()
        ids = shown.GetSegmentation().GetSegmentIDs() if shown else ()
        content.append([node.GetSegmentOpacity2DFill(segmentId) for segmentId in ids])
    if node.IsA("vtkMRMLTableNode"):
        rows, columns = range(node.GetNumberOfRows()), range(node.GetNumberOfColumns())
        content.append([node.GetColumnName(column) for column in columns])
        content.append([[node.GetCellText(row, column) for column in columns] for row in rows])
    if node.IsA("vtkMRMLSequenceNode"):
        content.append([_content(node.GetNthDataNode(n))[3:] for n in range(node.GetNumberOfDataNodes())])
    if node.IsA("vtkMRMLSequenceBrowserNode"):
        content.append(_browsed(node))
    return tuple(content)


def _voxels(volumeNode):
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    voxels = slicer.util.arrayFromVolume(volumeNode) if volumeNode.GetImageData() else np.zeros(0)
    return slicer.util.arrayFromVTKMatrix(matrix).tolist(), voxels.shape, voxels.dtype.str, voxels.tobytes()


def _browsed(browser):
    import vtk

    sequences = vtk.vtkCollection()
    browser.GetSynchronizedSequenceNodes(sequences, True)
    nodes = [sequences.GetItemAsObject(index) for index in range(sequences.GetNumberOfItems())]
    proxies = [(browser.GetProxyNode(node), browser.GetSaveChanges(node)) for node in nodes]
    return [(node.GetID(), proxy and proxy.GetID(), saves) for node, (proxy, saves) in zip(nodes, proxies)]
