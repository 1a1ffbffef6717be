"""Where a result stands in the subject hierarchy."""

import slicer


def placeBeside(node, inputNode) -> None:
    """Put a node's subject-hierarchy item under the same parent (study, patient, folder) as the input's."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    parent = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(inputNode))
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node), parent)
