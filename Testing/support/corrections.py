"""A person who corrects segments with the Segment Editor, and the volume and model for it."""

import numpy as np
import SimpleITK as sitk

BRIGHT = 2  # the value of the label that tests correct
STROKE = (12, 8, 9)  # slice, row and column of a voxel far from the bright box


def flat_image(spacing=(1.0, 1.5, 2.0)):
    """Medium everywhere but in a bright box and a dark corner: 24 slices of 10 x 12."""
    values = np.ones((24, 10, 12), np.int16)
    values[4:20, 3:6, 4:9] = 2
    values[:, :2, :2] = 0
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing)
    return image


def voxels_of(segmentation_node, value, volume_node):
    """Whether each voxel of the volume is in the segment of a label, by the order of the segments."""
    import slicer

    segment_id = segmentation_node.GetSegmentation().GetSegmentIDs()[value - 1]
    return slicer.util.arrayFromSegmentBinaryLabelmap(segmentation_node, segment_id, volume_node) > 0


class Editor:
    """The Segment Editor's own logic and node, with which its Paint and Erase write.

    :param widget: an editor whose undo has to know of the strokes; None for an editor without a window.
    """

    def __init__(self, segmentation_node, volume_node, widget=None):
        import slicer

        if widget is None:
            self.logic = slicer.vtkSlicerSegmentEditorLogic()
            self.logic.SetMRMLScene(slicer.mrmlScene)
            self.logic.SetSegmentEditorNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
        else:
            self.logic = widget._logic
        self.node = self.logic.GetSegmentEditorNode()
        self.node.SetAndObserveSegmentationNode(segmentation_node)
        self.node.SetAndObserveSourceVolumeNode(volume_node)
        self.segmentation_node = segmentation_node

    def paint(self, place, value=BRIGHT, erase=False):
        """Add voxels (indices or slices along k, j, i) to the segment of a label, or take them away, in a stroke."""
        from vtk.util.numpy_support import vtk_to_numpy

        segment_id = self.segmentation_node.GetSegmentation().GetSegmentIDs()[value - 1]
        self.node.SetSelectedSegmentID(segment_id)
        self.logic.ResetModifierLabelmapToDefault()
        stroke = self.logic.GetModifierLabelmap()
        vtk_to_numpy(stroke.GetPointData().GetScalars()).reshape(stroke.GetDimensions()[::-1])[place] = 1
        stroke.Modified()
        mode = self.logic.ModificationModeRemove if erase else self.logic.ModificationModeAdd
        self.logic.SaveStateForUndo()
        self.logic.ModifySegmentByLabelmap(self.segmentation_node, segment_id, stroke, mode, True, False)
