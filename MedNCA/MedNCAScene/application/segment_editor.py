"""The way on to Slicer's own Segment Editor."""

import slicer


def editSegments(segmentationNode, volumeNode) -> None:
    """Open the Segment Editor with a segmentation.

    :param volumeNode: what is seen while editing; None leaves it to the editor.
    """
    slicer.util.selectModule("SegmentEditor")
    # The editor's own choices; it makes this node when it is opened.
    editorNode = slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")
    editorNode.SetAndObserveSegmentationNode(segmentationNode)
    if volumeNode is not None:
        editorNode.SetAndObserveSourceVolumeNode(volumeNode)
