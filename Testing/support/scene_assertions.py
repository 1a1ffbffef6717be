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


def voxels_in_world(segmentation_node, segment_id):
    """World RAS of the centre of each voxel of a segment, sorted, shape (n, 3): read from the node alone."""
    import slicer
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    labelmap = slicer.vtkOrientedImageData()
    segmentation_node.GetBinaryLabelmapRepresentation(segment_id, labelmap)
    image_to_world = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(image_to_world)
    extent = labelmap.GetExtent()
    voxels = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(labelmap.GetDimensions()[::-1])
    indices = np.argwhere(voxels)[:, ::-1] + [extent[0], extent[2], extent[4]]
    parent_to_world = vtk.vtkMatrix4x4()
    if segmentation_node.GetParentTransformNode():
        segmentation_node.GetParentTransformNode().GetMatrixTransformToWorld(parent_to_world)
    vtk.vtkMatrix4x4.Multiply4x4(parent_to_world, image_to_world, image_to_world)
    return sorted_points(indices, slicer.util.arrayFromVTKMatrix(image_to_world))


def anatomy_in_world(volume_node, value):
    """World RAS of the centre of each voxel of the volume that has this value, sorted: read from the node alone."""
    import slicer
    import vtk

    ijk_to_ras, parent_to_world = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(ijk_to_ras)
    if volume_node.GetParentTransformNode():
        volume_node.GetParentTransformNode().GetMatrixTransformToWorld(parent_to_world)
    indices = np.argwhere(slicer.util.arrayFromVolume(volume_node) == value)[:, ::-1]
    return sorted_points(
        indices, slicer.util.arrayFromVTKMatrix(parent_to_world) @ slicer.util.arrayFromVTKMatrix(ijk_to_ras)
    )


def sorted_points(indices, matrix):
    points = np.round(indices @ matrix[:3, :3].T + matrix[:3, 3], 6)
    return points[np.lexsort(points.T)]


def assert_on_the_anatomy(segmentation_node, model, volume_node):
    from MedNCAScene.results.segments import segmentsOfModel

    segment_ids = segmentsOfModel(model, segmentation_node)
    for label, value in ((1, BRIGHT), (2, MIDDLE)):
        expected = anatomy_in_world(volume_node, value)
        assert len(expected)
        np.testing.assert_allclose(voxels_in_world(segmentation_node, segment_ids[label]), expected, atol=1e-5)


def add_hand_drawn_segment(segmentation_node, volume_node, name="lesion"):
    """A segment as the user draws it: over the first slices of the volume, overlapping with what the model finds."""
    import slicer

    voxels = np.zeros(slicer.util.arrayFromVolume(volume_node).shape, np.uint8)
    voxels[:5, 4:14] = 1
    segment_id = segmentation_node.GetSegmentation().AddEmptySegment("", name, (0.1, 0.2, 0.3))
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, segmentation_node, segment_id, volume_node)
    return segment_id


def content_of(segmentation_node, segment_id):
    segment = segmentation_node.GetSegmentation().GetSegment(segment_id)
    voxels = voxels_in_world(segmentation_node, segment_id).tolist()
    return segment.GetName(), segment.GetColor(), segment.GetTerminology(), voxels


def new_segmentation(volume_node, name="mine"):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
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
        content.append([(segment_id, *content_of(node, segment_id)) for segment_id in segmentation.GetSegmentIDs()])
    if node.IsA("vtkMRMLSegmentationDisplayNode"):
        shown = node.GetDisplayableNode()
        ids = shown.GetSegmentation().GetSegmentIDs() if shown else ()
        content.append([node.GetSegmentOpacity2DFill(segment_id) for segment_id in ids])
    if node.IsA("vtkMRMLTableNode"):
        rows, columns = range(node.GetNumberOfRows()), range(node.GetNumberOfColumns())
        content.append([node.GetColumnName(column) for column in columns])
        content.append([[node.GetCellText(row, column) for column in columns] for row in rows])
    if node.IsA("vtkMRMLSequenceNode"):
        content.append([_content(node.GetNthDataNode(n))[3:] for n in range(node.GetNumberOfDataNodes())])
    if node.IsA("vtkMRMLSequenceBrowserNode"):
        content.append(_browsed(node))
    return tuple(content)


def _voxels(volume_node):
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    voxels = slicer.util.arrayFromVolume(volume_node) if volume_node.GetImageData() else np.zeros(0)
    return slicer.util.arrayFromVTKMatrix(matrix).tolist(), voxels.shape, voxels.dtype.str, voxels.tobytes()


def _browsed(browser):
    import vtk

    sequences = vtk.vtkCollection()
    browser.GetSynchronizedSequenceNodes(sequences, True)
    nodes = [sequences.GetItemAsObject(index) for index in range(sequences.GetNumberOfItems())]
    proxies = [(browser.GetProxyNode(node), browser.GetSaveChanges(node)) for node in nodes]
    return [(node.GetID(), proxy and proxy.GetID(), saves) for node, (proxy, saves) in zip(nodes, proxies)]
