"""Nodes that a model has made for a volume: tagged, so that the next run finds them again."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import slicer

# An attribute of a node, and a tag of a segment: the name of the model that made it.
MODEL_TAG = "MedNCA.Model"
# Likewise: the value of the label that it is for. A volume may have the name of another purpose here.
LABEL_TAG = "MedNCA.Label"
# A tag of a segment: what a model has made of it, see `results.kept_results`.
KEPT_TAG = "MedNCA.Kept"
# The node reference to the volume that a node was made for.
INPUT_ROLE = "MedNCA.Input"


def findOrAdd(
    className: str,
    name: str,
    modelName: str,
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    label: str | None = None,
) -> tuple[slicer.vtkMRMLNode, bool]:
    """The node that a model has made for a volume before, else a new one beside the volume.

    Args:
        className: of the node.
        name: of a new node.
        modelName: name of the model.
        volumeNode: the volume.
        label: value of the label that the node is for, or another purpose; None if the model makes only one node of
            this class.

    Returns:
        The node, and whether it is new.
    """
    earlier = derivedNode(className, modelName, volumeNode, label)
    if earlier is not None:
        return earlier, False
    node = slicer.mrmlScene.AddNewNodeByClass(className, uniqueName(name))
    tagAsDerived(node, modelName, volumeNode, label)
    placeBeside(node, volumeNode)
    return node, True


def tagAsDerived(
    node: slicer.vtkMRMLNode, modelName: str, volumeNode: slicer.vtkMRMLScalarVolumeNode, label: str | None = None
) -> None:
    """Mark a node as made by a model for a volume."""
    node.SetAttribute(MODEL_TAG, modelName)
    node.SetAttribute(LABEL_TAG, label)
    node.SetNodeReferenceID(INPUT_ROLE, volumeNode.GetID())


def derivedNode(
    className: str, modelName: str, volumeNode: slicer.vtkMRMLScalarVolumeNode, label: str | None = None
) -> slicer.vtkMRMLNode | None:
    """The node that a model has made for a volume, see `findOrAdd`; None if there is none."""
    nodes = derivedNodes(modelName, volumeNode, className)
    return next((node for node in nodes if node.GetAttribute(LABEL_TAG) == label), None)


def derivedNodes(
    modelName: str, volumeNode: slicer.vtkMRMLScalarVolumeNode, className: str = "vtkMRMLNode"
) -> list[slicer.vtkMRMLNode]:
    """All nodes of a class that a model has made for a volume."""
    return [
        node
        for node in slicer.util.getNodesByClass(className)
        if modelOf(node) == modelName and inputOf(node) is volumeNode
    ]


def modelOf(node: slicer.vtkMRMLNode) -> str | None:
    """Name of the model that made a node; None if none did."""
    return node.GetAttribute(MODEL_TAG)


def inputOf(node: slicer.vtkMRMLNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The volume that a node was made for; None if it was made for none, or that has left the scene."""
    return node.GetNodeReference(INPUT_ROLE)


def removeNodes(nodes: Iterable[slicer.vtkMRMLNode]) -> None:
    """Remove nodes and their display nodes from the scene, those that are still in it."""
    # A browser makes a new volume as soon as its own is gone, so it has to go before.
    for node in sorted(nodes, key=lambda node: not node.IsA("vtkMRMLSequenceBrowserNode")):
        if node.IsA("vtkMRMLDisplayableNode"):
            displays = [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
            removeNodes(filter(None, displays))
        if node.GetScene() is not None:
            slicer.mrmlScene.RemoveNode(node)


def uniqueName(name: str, leaving: Collection[slicer.vtkMRMLNode] = ()) -> str:
    """The name, with a number if a node has it already; nodes that are about to leave the scene do not count."""
    taken = {node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLNode") if node not in leaving}
    return slicer.mrmlScene.GenerateUniqueName(name) if name in taken else name


def placeBeside(node: slicer.vtkMRMLNode, inputNode: slicer.vtkMRMLNode) -> None:
    """Put a node's subject-hierarchy item under the same parent (study, patient, folder) as the input's."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    inputItem = hierarchy.GetItemByDataNode(inputNode)
    parent = hierarchy.GetItemParent(inputItem) if inputItem else hierarchy.GetSceneItemID()
    hierarchy.CreateItem(parent, node)  # moves the item if there is one already
