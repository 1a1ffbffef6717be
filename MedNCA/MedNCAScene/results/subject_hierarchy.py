"""Where a result stands in the subject hierarchy."""

import slicer


def placeBeside(node, inputNode) -> None:
    """Put a node's subject-hierarchy item under the same parent (study, patient, folder) as the input's."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    inputItem = hierarchy.GetItemByDataNode(inputNode)
    parent = hierarchy.GetItemParent(inputItem) if inputItem else hierarchy.GetSceneItemID()
    hierarchy.CreateItem(parent, node)  # moves the item if there is one already
