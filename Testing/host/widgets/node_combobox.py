"""Stand-in for qMRMLNodeComboBox: a combo box with the nodes of the scene.

It lists the nodes of its types that are not hidden from editors, follows additions, removals and renaming, and ends
with the actions that the module allows (create, rename, edit, delete).
"""

import slicer
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
    nodeAboutToBeEdited = Signal("vtkMRMLNode*")

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene = None
        self._nodeTypes = []
        self._attributes = {}
        self._nodeTypeLabels = {}
        self._currentNode = None
        self._observations = VTKObservationMixin()
        self._menuActions = []
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
        if scene is self._scene:
            return
        self._observations.removeObservers()
        self._scene = scene
        if scene is not None:
            for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.NodeAboutToBeRemovedEvent):
                handler = {
                    scene.NodeAddedEvent: self._onNodeAdded,
                    scene.NodeRemovedEvent: self._onNodeRemoved,
                    scene.NodeAboutToBeRemovedEvent: self._onNodeAboutToBeRemoved,
                }[event]
                # Slicer's scene model lists nodes before the scripts hear of them.
                self._observations.addObserver(scene, event, handler, priority=10.0)
            for event in (scene.EndBatchProcessEvent, scene.EndImportEvent, scene.EndCloseEvent):
                self._observations.addObserver(scene, event, self._onBatchEnded, priority=10.0)
        self._comboBox.setEnabled(scene is not None)
        self._updateItems()
        self._selectFirstIfNoneIsForbidden()

    def nodes(self):
        return tuple(self._listedNodes())

    def _listedNodes(self):
        if self._scene is None or not self._nodeTypes:
            return []
        allNodes = [self._scene.GetNthNode(index) for index in range(self._scene.GetNumberOfNodes())]
        return [node for node in allNodes if self._accepts(node)]

    def _accepts(self, node):
        if node.GetHideFromEditors() and not self.showHidden:
            return False
        for nodeType in self._nodeTypes:
            isOfType = node.IsA(nodeType) if self.showChildNodeTypes else node.GetClassName() == nodeType
            if isOfType and not any(node.IsA(hidden) and hidden != nodeType for hidden in self.hideChildNodeTypes):
                return all(
                    node.GetAttribute(name) is not None and value in (None, node.GetAttribute(name))
                    for name, value in self._attributes.get(nodeType, {}).items()
                )
        return False

    def _onNodeAdded(self, scene, event=None):
        if not self._scene.IsBatchProcessing():
            self._updateItems()
            self._selectFirstIfNoneIsForbidden()

    def _onNodeAboutToBeRemoved(self, scene, event=None):
        pass

    def _onNodeRemoved(self, scene, event=None):
        if self._scene.IsBatchProcessing():
            return
        self._onBatchEnded()

    def _onBatchEnded(self, *_):
        if self._currentNode is not None and self._scene.IsNodePresent(self._currentNode) == 0:
            self._setCurrentNode(None)
        self._updateItems()
        self._selectFirstIfNoneIsForbidden()

    def _selectFirstIfNoneIsForbidden(self):
        if self._currentNode is None and not self.noneEnabled:
            nodes = self._listedNodes()
            if nodes:
                self._setCurrentNode(nodes[0])

    #
    # The current node
    #
    def currentNode(self):
        return self._currentNode

    def setCurrentNode(self, nodeOrId):
        node = nodeOrId
        if isinstance(nodeOrId, str):
            node = self._scene.GetNodeByID(nodeOrId) if self._scene is not None and nodeOrId else None
        elif nodeOrId is not None and not isinstance(nodeOrId, slicer.vtkMRMLNode):
            raise ValueError(f"qMRMLNodeComboBox.setCurrentNode() takes a node, an ID or None, not {nodeOrId!r}")
        self._setCurrentNode(node if node is not None and node in self._listedNodes() else None)
        self._selectFirstIfNoneIsForbidden()

    def setCurrentNodeID(self, nodeId):
        self.setCurrentNode(nodeId or "")

    def setCurrentNodeIndex(self, index):
        self._setCurrentNode(self.nodeFromIndex(index))

    def nodeFromIndex(self, index):
        nodes = self._listedNodes()
        return nodes[index] if 0 <= index < len(nodes) else None

    def nodeCount(self):
        return len(self._listedNodes())

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
        if nodeType in self._nodeTypeLabels:
            label = self._nodeTypeLabels[nodeType]
        elif node is not None and node.GetNodeTagName():
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
        for node in self._listedNodes():
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
        if self.editEnabled:
            actions.append((f"Edit current {label}", self.editCurrentNode))
        if self.addEnabled:
            actions.append((f"Create new {label}", self._addNodeByUser))
        if self.removeEnabled:
            actions.append((f"Delete current {label}", self.removeCurrentNode))
        return actions + [(action.text, action.trigger) for action in self._menuActions]

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
    def _addNodeByUser(self):
        node = self.addNode()
        if node is not None:
            self.nodeAddedByUser.emit(node)

    def addNode(self, nodeType=None):
        nodeType = nodeType or (self._nodeTypes[0] if self._nodeTypes else None)
        if self._scene is None or nodeType not in self._nodeTypes:
            return None
        node = self._scene.CreateNodeByClass(nodeType)
        node.UnRegister(None)
        for name, value in self._attributes.get(nodeType, {}).items():
            node.SetAttribute(name, value or "")
        node.SetName(self._scene.GenerateUniqueName(self.baseName or self._typeLabel()))
        node = self._scene.AddNode(node)
        if self.selectNodeUponCreation:
            self._setCurrentNode(node)
        self.nodeAdded.emit(node)
        return node

    def removeCurrentNode(self):
        if self._currentNode is not None:
            self.nodeAboutToBeRemoved.emit(self._currentNode)
            self._scene.RemoveNode(self._currentNode)

    def editCurrentNode(self):
        self.nodeAboutToBeEdited.emit(self._currentNode)

    def renameCurrentNode(self):
        if self._currentNode is not None:
            name = QtWidgets.QInputDialog.getText(self, "Rename", "New name:")
            if name:
                self._currentNode.SetName(name)

    def addAttribute(self, nodeType, name, value=None):
        self._attributes.setdefault(nodeType, {})[name] = value
        self._updateItems()

    def removeAttribute(self, nodeType, name):
        self._attributes.get(nodeType, {}).pop(name, None)
        self._updateItems()

    def setNodeTypeLabel(self, label, nodeType):
        self._nodeTypeLabels[nodeType] = label
        self._updateItems()

    def nodeTypeLabel(self, nodeType):
        return self._nodeTypeLabels.get(nodeType, "")

    def addMenuAction(self, action):
        self._menuActions.append(action)
        self._updateItems()

    def _setNodeTypes(self, nodeTypes):
        if isinstance(nodeTypes, str):
            raise TypeError("nodeTypes is a list of class names")
        self._nodeTypes = list(nodeTypes)
        self._onTypesChanged()

    def _onTypesChanged(self):
        if self._currentNode is not None and self._currentNode not in self._listedNodes():
            self._setCurrentNode(None)
        self._updateItems()
        self._selectFirstIfNoneIsForbidden()

    nodeTypes = Property("nodeTypes", lambda self: tuple(self._nodeTypes), _setNodeTypes, None)
    showHidden = storedProperty("showHidden", False, bool, _onTypesChanged)
    showChildNodeTypes = storedProperty("showChildNodeTypes", True, bool, _onTypesChanged)
    hideChildNodeTypes = storedProperty("hideChildNodeTypes", (), None, _onTypesChanged)
    noneEnabled = storedProperty("noneEnabled", False, bool, _onTypesChanged)
    noneDisplay = storedProperty("noneDisplay", "None", str, _updateItems)
    addEnabled = storedProperty("addEnabled", True, bool, _updateItems)
    removeEnabled = storedProperty("removeEnabled", True, bool, _updateItems)
    editEnabled = storedProperty("editEnabled", False, bool, _updateItems)
    renameEnabled = storedProperty("renameEnabled", False, bool, _updateItems)
    baseName = storedProperty("baseName", "", str)
    selectNodeUponCreation = storedProperty("selectNodeUponCreation", True, bool)
    interactionNodeSingletonTag = storedProperty("interactionNodeSingletonTag", "", str)
    sizeAdjustPolicy = storedProperty("sizeAdjustPolicy", QtWidgets.QComboBox.AdjustToContents)
    currentNodeID = Property(
        "currentNodeID",
        lambda self: self._currentNode.GetID() if self._currentNode is not None else "",
        lambda self, value: self.setCurrentNodeID(value),
        str,
    )
