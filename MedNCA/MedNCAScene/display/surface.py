"""The segmentation in the 3D views."""


def isShownIn3D(segmentationNode) -> bool:
    """Whether the segments are there as surfaces, so that the 3D views can show them."""
    return segmentationNode is not None and segmentationNode.GetSegmentation().ContainsRepresentation("Closed surface")


def showIn3D(segmentationNode, shown: bool) -> None:
    """Make the surfaces of all segments and show them, or remove them. The first may take seconds."""
    if not shown:
        segmentationNode.RemoveClosedSurfaceRepresentation()
        return
    segmentationNode.CreateClosedSurfaceRepresentation()
    segmentationNode.GetDisplayNode().SetVisibility3D(True)
