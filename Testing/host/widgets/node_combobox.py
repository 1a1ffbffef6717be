"""Stand-in for qMRMLNodeComboBox: a combo box with the nodes of the scene.

It lists the nodes of its types that are not hidden from editors, follows additions, removals and renaming, and ends
with the actions that the module allows (create, rename, edit, delete).
"""

import slicer
import vtk
from PySide6 import QtWidgets
from slicer.util import VTKObservationMixin

from ..qt.pythonqt import Property, storedProperty, wrappedClass
from ..qt.signals import Signal


@wrappedClass
class qMRMLNodeComboBox(QtWidgets.QWidget):
    currentNodeChanged = Signal("vtkMRMLNode*")
    currentNodeIDChanged = Signal("QString")
    currentNodeRenamed = Signal("QString")
    nodeActivated = Signal("vtkMRMLNode*")
    nodeAdded = Signal("vtkMRMLNode*")
    nodeAddedByUser = Signal("vtkMRMLNode*")
    nodeAboutToBeRemoved = Signal("vtkMRMLNode*")

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene = None
        self._nodeTypes = []
        self._rows = []
        self._currentNode = None
        self._requestedNode = None
        self._observations = VTKObservationMixin()
        self._comboBox = QtWidgets.QComboBox(self)
        self._comboBox.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        self._comboBox.setSizeAdjustPolicy(QtWidgets.QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self._comboBox.activated.connect(self._onActivated)
        self.destroyed.connect(lambda: self._observations.removeObservers())
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._comboBox)
        self.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        self._comboBox.setEnabled(False)

    #
    # The scene
    #
    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene):
        """Follow a scene. Its first node is chosen if None is not allowed, unless a node was asked for before."""
        if scene is self._scene:
            return
        self._observations.removeObservers()
        self._scene = scene
        if scene is not None:
            # The priorities of Slicer's scene model: before the scripts for a new node, after them for one that goes.
            for event, handler, priority in (
                (scene.NodeAddedEvent, self._onNodeAdded, 10.0),
                (scene.NodeAboutToBeRemovedEvent, self._onNodeAboutToBeRemoved, -10.0),
                (scene.EndCloseEvent, self._onSceneClosed, 0.0),
            ):
                self._observations.addObserver(scene, event, handler, priority=priority)
        self._comboBox.setEnabled(scene is not None)
        self._setRows([])
        self._setRows(self._listedNodes())
        requested, self._requestedNode = self._requestedNode, None
        if requested is not None:
            self.setCurrentNode(requested)
        elif self._currentNode is None and self._rows and not self.noneEnabled:
            self._setCurrentNode(self._rows[0])

    def nodes(self):
        return tuple(self._rows)

    def _listedNodes(self):
        if self._scene is None or not self._nodeTypes:
            return []
        allNodes = [self._scene.GetNthNode(index) for index in range(self._scene.GetNumberOfNodes())]
        return [node for node in allNodes if self._accepts(node)]

    def _accepts(self, node):
        if node.GetHideFromEditors() and not self.showHidden:
            return False
        if self.showChildNodeTypes:
            return any(node.IsA(nodeType) for nodeType in self._nodeTypes)
        return node.GetClassName() in self._nodeTypes

    def _setRows(self, rows):
        """List these nodes, and choose as Qt's combo box does when its rows change.

        The first row is chosen if there was none at all, neither "None" nor an action. If the row of the current node
        goes, its neighbour above takes its place; if it was the first row, nothing is chosen.
        """
        before, self._rows = self._rows, rows
        current = self._currentNode
        if current is not None and current not in rows:
            above = before[: before.index(current)]
            neighbour = above[-1] if above else None
            self._setCurrentNode(neighbour if neighbour in rows else None)
        elif current is None and rows and not before and not self.noneEnabled and not self._actions():
            self._setCurrentNode(rows[0])
        self._updateItems()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAdded(self, scene, event, node):
        if self._accepts(node):
            self._setRows(self._listedNodes())
            self.nodeAdded.emit(node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAboutToBeRemoved(self, scene, event, node):
        if node in self._rows and not scene.IsClosing():
            self.nodeAboutToBeRemoved.emit(node)
            self._setRows([each for each in self._rows if each is not node])

    def _onSceneClosed(self, *_):
        self._setRows([])
        self._setRows(self._listedNodes())

    #
    # The current node
    #
    def currentNode(self):
        return self._currentNode

    def setCurrentNode(self, nodeOrId):
        """Choose a node that is listed. With any other, or None, nothing is chosen, also if None is not in the list."""
        node = nodeOrId
        if isinstance(nodeOrId, str):
            node = self._scene.GetNodeByID(nodeOrId) if self._scene is not None and nodeOrId else None
        elif nodeOrId is not None and not isinstance(nodeOrId, slicer.vtkMRMLNode):
            raise ValueError(f"qMRMLNodeComboBox.setCurrentNode() takes a node, an ID or None, not {nodeOrId!r}")
        if self._scene is None:
            self._requestedNode = nodeOrId
        self._setCurrentNode(node if node in self._rows else None)

    def setCurrentNodeID(self, nodeId):
        self.setCurrentNode(nodeId or "")

    def nodeFromIndex(self, index):
        return self._rows[index] if 0 <= index < len(self._rows) else None

    def nodeCount(self):
        return len(self._rows)

    def _setCurrentNode(self, node):
        if node is self._currentNode:
            self._showCurrentItem()
            return
        if self._currentNode is not None:
            self._observations.removeObserver(self._currentNode, "ModifiedEvent", self._onCurrentNodeModified)
        self._currentNode = node
        if node is not None:
            self._observations.addObserver(node, "ModifiedEvent", self._onCurrentNodeModified)
        self._updateItems()
        self.currentNodeChanged.emit(node)
        self.currentNodeIDChanged.emit(node.GetID() if node is not None else "")

    def _onCurrentNodeModified(self, node, event):
        index = self._comboBox.currentIndex
        if self._comboBox.itemText(index) != node.GetName():
            self._updateItems()
            self.currentNodeRenamed.emit(node.GetName())

    #
    # What the user sees
    #
    def _typeLabel(self):
        if not self._nodeTypes:
            return ""
        nodeType = self._nodeTypes[0]
        node = self._scene.CreateNodeByClass(nodeType) if self._scene is not None else None
        if node is not None and node.GetNodeTagName():
            label = node.GetTypeDisplayName() if hasattr(node, "GetTypeDisplayName") else node.GetNodeTagName()
        else:
            label = nodeType.removeprefix("vtkMRML").removesuffix("Node")
        if node is not None:
            node.UnRegister(None)
        return label

    def _updateItems(self):
        box = self._comboBox
        box.blockSignals(True)
        box.clear()
        if self.noneEnabled:
            box.addItem(self.noneDisplay, "")
        for node in self._rows:
            box.addItem(node.GetName() or "", node.GetID())
        actions = self._actions()
        if actions and box.count:
            box.insertSeparator(box.count)
        for text, _ in actions:
            box.addItem(text)
        box.setPlaceholderText(f"Select a {self._typeLabel()}")
        self._showCurrentItem()
        box.blockSignals(False)

    def _showCurrentItem(self):
        nodeId = self._currentNode.GetID() if self._currentNode is not None else ""
        if nodeId or self.noneEnabled:
            self._comboBox.setCurrentIndex(self._comboBox.findData(nodeId))
        else:
            self._comboBox.setCurrentIndex(-1)

    def _actions(self):
        label = self._typeLabel()
        actions = []
        if self.renameEnabled:
            actions.append((f"Rename current {label}", self.renameCurrentNode))
        if self.addEnabled:
            actions.append((f"Create new {label}", self.addNode))
        if self.removeEnabled:
            actions.append((f"Delete current {label}", self.removeCurrentNode))
        return actions

    def _onActivated(self, index):
        for text, act in self._actions():
            if self._comboBox.itemText(index) == text and self._comboBox.itemData(index) is None:
                self._showCurrentItem()
                act()
                return
        node = self._scene.GetNodeByID(self._comboBox.itemData(index) or "")
        self._setCurrentNode(node)
        self.nodeActivated.emit(node)

    #
    # The actions
    #
    def addNode(self, nodeType=None):
        nodeType = nodeType or (self._nodeTypes[0] if self._nodeTypes else None)
        if self._scene is None or nodeType not in self._nodeTypes:
            return None
        node = self._scene.CreateNodeByClass(nodeType)
        node.UnRegister(None)
        node.SetName(self._scene.GenerateUniqueName(self.baseName or self._typeLabel()))
        node = self._scene.AddNode(node)
        if self.selectNodeUponCreation:
            self._setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self):
        if self._currentNode is not None:
            self._scene.RemoveNode(self._currentNode)

    def renameCurrentNode(self):
        if self._currentNode is not None:
            name = QtWidgets.QInputDialog.getText(self, "Rename", "New name:")
            if name:
                self._currentNode.SetName(name)

    def _setNodeTypes(self, nodeTypes):
        if isinstance(nodeTypes, str):
            raise TypeError("nodeTypes is a list of class names")
        self._nodeTypes = list(nodeTypes)
        self._onTypesChanged()

    def _onTypesChanged(self):
        self._setRows(self._listedNodes())

    nodeTypes = Property("nodeTypes", lambda self: tuple(self._nodeTypes), _setNodeTypes, None)
    showHidden = storedProperty("showHidden", False, bool, _onTypesChanged)
    showChildNodeTypes = storedProperty("showChildNodeTypes", True, bool, _onTypesChanged)
    noneEnabled = storedProperty("noneEnabled", False, bool, _updateItems)
    noneDisplay = storedProperty("noneDisplay", "None", str, _updateItems)
    addEnabled = storedProperty("addEnabled", True, bool, _updateItems)
    removeEnabled = storedProperty("removeEnabled", True, bool, _updateItems)
    renameEnabled = storedProperty("renameEnabled", False, bool, _updateItems)
    baseName = storedProperty("baseName", "", str)
    selectNodeUponCreation = storedProperty("selectNodeUponCreation", True, bool)
    currentNodeID = Property(
        "currentNodeID",
        lambda self: self._currentNode.GetID() if self._currentNode is not None else "",
        lambda self, value: self.setCurrentNodeID(value),
        str,
    )
