"""Stand-in for the subject hierarchy's plugins: keeps the subject hierarchy in step with the scene.

In Slicer a Qt-based logic gives each data node an item in the tree, owned by the plugin for its type, and makes a new
tree after the scene was closed. Items of single segments are left out.
"""

import slicer
import vtk

# Which plugin owns nodes of a class; the first that fits.
PLUGINS = (
    ("vtkMRMLLabelMapVolumeNode", "LabelMaps"),
    ("vtkMRMLVolumeNode", "Volumes"),
    ("vtkMRMLSegmentationNode", "Segmentations"),
    ("vtkMRMLMarkupsNode", "Markups"),
    ("vtkMRMLModelNode", "Models"),
    ("vtkMRMLTransformNode", "Transforms"),
    ("vtkMRMLTableNode", "Tables"),
    ("vtkMRMLPlotChartNode", "Plots"),
    ("vtkMRMLTextNode", "Texts"),
    ("vtkMRMLSequenceBrowserNode", "Sequences"),
)


class SubjectHierarchyFollower:
    """Observes the scene, for as long as the host runs."""

    def __init__(self, scene):
        self._scene = scene
        for event, handler in (
            (scene.NodeAddedEvent, self._onNodeAdded),
            (scene.NodeAboutToBeRemovedEvent, self._onNodeAboutToBeRemoved),
        ):
            scene.AddObserver(event, handler)
        for event in (scene.EndImportEvent, scene.EndCloseEvent, scene.EndBatchProcessEvent):
            scene.AddObserver(event, self._onBatchEnded, 10.0)
        self._onBatchEnded()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAdded(self, scene, event, node):
        if scene.IsImporting() or node is None:
            return
        if node.IsA("vtkMRMLSubjectHierarchyNode"):
            slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(scene)
        else:
            self._addItem(node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAboutToBeRemoved(self, scene, event, node):
        if scene.IsClosing() or node is None or node.IsA("vtkMRMLSubjectHierarchyNode"):
            return
        hierarchy = scene.GetSubjectHierarchyNode()
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.RemoveItem(item, False, False)

    def _onBatchEnded(self, *_):
        slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(self._scene)
        for index in range(self._scene.GetNumberOfNodes()):
            self._addItem(self._scene.GetNthNode(index))

    def _addItem(self, node):
        plugin = next((plugin for nodeClass, plugin in PLUGINS if node.IsA(nodeClass)), None)
        if plugin is None or node.GetHideFromEditors():
            return
        hierarchy = self._scene.GetSubjectHierarchyNode()
        if not hierarchy.GetItemByDataNode(node):
            item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
            hierarchy.SetItemOwnerPluginName(item, plugin)
