"""Stand-in for the IO manager: which reader a file gets; reads and writes with the real logics and storage nodes."""

import os

import slicer
import vtk
from PySide6 import QtCore

from ..qt.pythonqt import wrappedClass

# File type -> endings. Compound endings come first, because ".seg.nrrd" also ends like a volume.
FILE_TYPES = {
    "SceneFile": (".mrml", ".mrb", ".xml"),
    "SegmentationFile": (".seg.nrrd", ".seg.nhdr", ".seg.vtm"),
    "SequenceFile": (".seq.nrrd", ".seq.nhdr", ".seq.mrb", ".seq.mha", ".mrb.seq"),
    "MarkupsFile": (".mrk.json", ".fcsv"),
    "TransformFile": (".h5", ".tfm", ".mat"),
    "ModelFile": (".vtk", ".vtp", ".stl", ".ply", ".obj"),
    "ColorTableFile": (".ctbl",),
    "TableFile": (".csv", ".tsv"),
    "TextFile": (".txt", ".json"),
    "VolumeFile": (".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha", ".mhd", ".hdr", ".img", ".dcm", ".png", ".jpg", ".tif"),
}
VOLUME_OPTIONS = {"labelmap": 1, "center": 2, "singleFile": 4, "autoWindowLevel": 8, "discardOrientation": 16}


@wrappedClass
class qSlicerCoreIOManager(QtCore.QObject):
    def __init__(self):
        super().__init__()
        self._readers = {
            "SceneFile": self._loadScene,
            "VolumeFile": self._loadVolume,
            "SegmentationFile": self._loadSegmentation,
            "SequenceFile": self._loadSequence,
            "TableFile": self._loadTable,
            "MarkupsFile": self._loadMarkups,
            "ModelFile": self._loadModel,
            "TransformFile": self._loadTransform,
            "ColorTableFile": self._loadColorTable,
            "TextFile": self._loadText,
        }

    def fileType(self, fileName):
        """The type of the reader that fits the file's name best."""
        for fileType, endings in FILE_TYPES.items():
            if str(fileName).lower().endswith(endings):
                return fileType
        return "NoFile"

    def loadNodes(self, fileType, properties, loadedNodes=None, userMessages=None):
        """Read a file; the nodes are added to ``loadedNodes``, a vtkCollection. Whether that went well."""
        messages = userMessages if userMessages is not None else slicer.vtkMRMLMessageCollection()
        path = properties["fileName"]
        reader = self._readers.get(fileType)
        if reader is None:
            messages.AddMessage(vtk.vtkCommand.ErrorEvent, f"There is no reader for {path} ({fileType})")
            return False
        if not os.path.exists(path):
            messages.AddMessage(vtk.vtkCommand.ErrorEvent, f"File not found: {path}")
            return False
        success, nodes = reader(path, properties, messages)
        for node in nodes:
            if loadedNodes is not None:
                loadedNodes.AddItem(node)
        return success

    def loadScene(self, fileName, clear=True):
        return self.loadNodes("SceneFile", {"fileName": fileName, "clear": clear})

    #
    # Readers
    #
    def _loadScene(self, path, properties, messages):
        scene = slicer.mrmlScene
        clear = bool(properties.get("clear", False))
        if path.lower().endswith(".mrb"):
            return bool(scene.ReadFromMRB(path, clear, messages)), []
        scene.SetURL(path)
        scene.SetRootDirectory(os.path.dirname(path))
        return bool(scene.Connect(messages) if clear else scene.Import(messages)), []

    def _loadVolume(self, path, properties, messages):
        options = sum(bit for name, bit in VOLUME_OPTIONS.items() if properties.get(name))
        name = properties.get("name") or os.path.basename(path).split(".")[0]
        files = None
        if "fileNames" in properties:
            files = vtk.vtkStringArray()
            for fileName in properties["fileNames"]:
                files.InsertNextValue(fileName)
        logic = slicer.modules.volumes.logic()
        node = logic.AddArchetypeVolume(path, name, options, files, messages)
        if node is None:
            return False, []
        if properties.get("colorNodeID") and node.GetDisplayNode():
            node.GetDisplayNode().SetAndObserveColorNodeID(properties["colorNodeID"])
        if properties.get("show", True):
            _showVolume(node)
        return True, [node]

    def _loadSegmentation(self, path, properties, messages):
        logic = slicer.modules.segmentations.logic()
        colors = slicer.mrmlScene.GetNodeByID(properties.get("colorNodeID", ""))
        autoOpacities = properties.get("autoOpacities", True)
        node = logic.LoadSegmentationFromFile(path, autoOpacities, properties.get("name", ""), colors, messages)
        if node is None:
            return False, []
        if not node.GetDisplayNode():
            node.CreateDefaultDisplayNodes()
        return True, [node]

    def _loadSequence(self, path, properties, messages):
        logic = slicer.modules.sequences.logic()
        node = logic.AddSequence(path, messages)
        if node is None:
            return False, []
        scene = slicer.mrmlScene
        if "name" in properties:
            node.SetName(scene.GetUniqueNameByString(properties["name"]))
        if not properties.get("show", True):
            return True, [node]
        browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", f"{node.GetName()} browser")
        browser.SetAndObserveMasterSequenceNodeID(node.GetID())
        logic.UpdateProxyNodesFromSequences(browser)
        proxy = browser.GetProxyNode(node)
        if proxy is not None and proxy.IsA("vtkMRMLVolumeNode"):
            _showVolume(proxy)
        return True, [node, browser]

    def _loadTable(self, path, properties, messages):
        logic = slicer.modules.tables.logic()
        node = logic.AddTable(path, properties.get("name", ""), True, "", messages)
        return node is not None, [node] if node is not None else []

    def _loadMarkups(self, path, properties, messages):
        ids = slicer.modules.markups.logic().LoadMarkups(path, properties.get("name", ""), messages)
        nodes = [slicer.mrmlScene.GetNodeByID(nodeId) for nodeId in (ids or "").split(",") if nodeId]
        return bool(nodes), nodes

    def _loadModel(self, path, properties, messages):
        coordinates = slicer.vtkMRMLStorageNode.CoordinateSystemLPS
        node = slicer.modules.models.logic().AddModel(path, coordinates, messages)
        return node is not None, [node] if node is not None else []

    def _loadTransform(self, path, properties, messages):
        node = slicer.modules.transforms.logic().AddTransform(path, slicer.mrmlScene, messages)
        return node is not None, [node] if node is not None else []

    def _loadColorTable(self, path, properties, messages):
        node = slicer.modules.colors.logic().LoadColorFile(path, properties.get("name", ""), messages)
        return node is not None, [node] if node is not None else []

    def _loadText(self, path, properties, messages):
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", os.path.basename(path).split(".")[0])
        node.AddDefaultStorageNode(path)
        return bool(node.GetStorageNode().ReadData(node)), [node]

    #
    # Writers
    #
    def fileWriterFileType(self, node, fileFormat=""):
        """The name that the node's class gives to its files; one writer serves them all."""
        return "SceneFile" if node is None else f"{node.GetNodeTagName()}File"

    def fileWriterExtensions(self, node):
        storage = self._storageNode(node)
        types = storage.GetSupportedWriteFileTypes()
        return tuple(types.GetValue(index) for index in range(types.GetNumberOfValues()))

    def extractKnownExtension(self, fileName, node):
        return self._storageNode(node).GetSupportedFileExtension(str(fileName), False, True)

    def saveNodes(self, fileType, properties, userMessages=None):
        """Write a node, or with the type SceneFile the scene. Whether that went well."""
        messages = userMessages if userMessages is not None else slicer.vtkMRMLMessageCollection()
        path = str(properties["fileName"])
        folder = os.path.dirname(os.path.abspath(path))
        if not os.access(folder, os.W_OK):
            messages.AddMessage(vtk.vtkCommand.ErrorEvent, f"Failed to save as {path} (path {folder} is not writeable)")
            return False
        if fileType == "SceneFile":
            return self._saveScene(os.path.abspath(path), messages)
        return self._saveNode(slicer.mrmlScene.GetNodeByID(properties["nodeID"]), path, properties, messages)

    def saveScene(self, fileName, screenShot=None, userMessages=None):
        return self.saveNodes("SceneFile", {"fileName": fileName}, userMessages)

    def exportNodes(self, nodeIds, fileNames, properties, hardenTransform=False, userMessages=None):
        """Write copies of nodes; their own storage nodes stay as they are."""
        success = True
        for nodeId, fileName in zip(nodeIds, fileNames, strict=True):
            node = slicer.mrmlScene.GetNodeByID(nodeId)
            exported = slicer.mrmlScene.CreateNodeByClass(node.GetClassName())
            exported.UnRegister(None)
            exported.CopyContent(node, True)
            if hardenTransform and node.GetParentTransformNode() is not None:
                exported.ApplyTransform(_toWorld(node))
            storage = node.CreateDefaultStorageNode()
            storage.UnRegister(None)
            storage.SetFileName(str(fileName))
            success = bool(storage.WriteData(exported)) and success
        return success

    def _saveScene(self, path, messages):
        scene = slicer.mrmlScene
        if path.endswith((".mrml", ".mrb")):
            scene.SetURL(path)
            scene.SetRootDirectory(os.path.dirname(path))
        if path.endswith(".mrml"):
            return bool(scene.Commit(path, messages))
        if path.endswith(".mrb"):
            success = bool(scene.WriteToMRB(path, None, messages))
            # The bundle has the data, but the user's files do not.
            scene.SetStorableNodesModifiedSinceRead()
            return success
        os.makedirs(path, exist_ok=True)
        if os.listdir(path):
            messages.AddMessage(vtk.vtkCommand.ErrorEvent, f"Selected directory {path} is not empty")
            return False
        return bool(slicer.app.applicationLogic().SaveSceneToSlicerDataBundleDirectory(path, None, messages))

    def _saveNode(self, node, path, properties, messages):
        storage = node.GetStorageNode()
        if storage is None:
            node.AddDefaultStorageNode(path)
            storage = node.GetStorageNode()
        if storage is None:
            messages.AddMessage(vtk.vtkCommand.ErrorEvent, f"Node {node.GetName()} cannot be saved to a file")
            return False
        storage.SetFileName(path)
        storage.SetURI(None)
        if properties.get("fileFormat"):
            storage.SetWriteFileFormat(properties["fileFormat"])
        if "useCompression" in properties:
            storage.SetUseCompression(int(properties["useCompression"]))
        success = bool(storage.WriteData(node))
        messages.AddMessages(storage.GetUserMessages())
        return success

    def _storageNode(self, node):
        storage = node.CreateDefaultStorageNode()
        storage.UnRegister(None)
        return storage


def _showVolume(node):
    selection = slicer.app.applicationLogic().GetSelectionNode()
    if node.IsA("vtkMRMLLabelMapVolumeNode"):
        selection.SetActiveLabelVolumeID(node.GetID())
    else:
        selection.SetActiveVolumeID(node.GetID())
    slicer.app.applicationLogic().PropagateVolumeSelection()


def _toWorld(node):
    transform = vtk.vtkGeneralTransform()
    node.GetParentTransformNode().GetTransformToWorld(transform)
    return transform
