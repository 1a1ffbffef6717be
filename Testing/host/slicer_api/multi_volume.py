"""Stand-in for vtkMRMLMultiVolumeNode of the extension MultiVolumeExplorer, which slicer-core does not have."""

import slicer


class vtkMRMLMultiVolumeNode(slicer.vtkMRMLScalarVolumeNode):
    """A volume whose voxels have a value for each frame. To C++ it is a scalar volume."""

    def __init__(self):
        self._frames, self._labelName, self._labels = 0, "", None

    def GetClassName(self):
        return "vtkMRMLMultiVolumeNode"

    def IsA(self, className):
        return className == "vtkMRMLMultiVolumeNode" or super().IsA(className)

    def GetNumberOfFrames(self):
        return self._frames

    def SetNumberOfFrames(self, count):
        self._frames = count

    def GetLabelName(self):
        return self._labelName

    def SetLabelName(self, name):
        self._labelName = name

    def GetLabelArray(self):
        return self._labels

    def SetLabelArray(self, labels):
        self._labels = labels
