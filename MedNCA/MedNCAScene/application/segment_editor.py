"""The way on to Slicer's own Segment Editor."""

from __future__ import annotations

from pathlib import Path

import slicer

_EFFECT = Path(__file__).resolve().parents[2] / "MedNCARegrowEffect" / "SegmentEditorEffect.py"


def registerRegrowEffect() -> None:
    """Add the effect Regrow to all Segment Editors."""
    import qSlicerSegmentationsEditorEffectsPythonQt as effects

    effect = effects.qSlicerSegmentEditorScriptedEffect(None)
    effect.setPythonSource(_EFFECT.as_posix())
    effect.self().register()


def editSegments(
    segmentationNode: slicer.vtkMRMLSegmentationNode, volumeNode: slicer.vtkMRMLScalarVolumeNode | None
) -> None:
    """Open the Segment Editor with a segmentation.

    Args:
        segmentationNode: the segmentation to edit.
        volumeNode: the volume that is seen while editing; None leaves it to the editor.
    """
    slicer.util.selectModule("SegmentEditor")
    # The editor's own choices; it makes this node when it is opened.
    editorNode = slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")
    editorNode.SetAndObserveSegmentationNode(segmentationNode)
    if volumeNode is not None:
        editorNode.SetAndObserveSourceVolumeNode(volumeNode)


def saveStateForUndo(segmentationNode: slicer.vtkMRMLSegmentationNode) -> None:
    """Have the module Segment Editor save a segmentation for its Undo, if that is the one that it edits."""
    widget = getattr(slicer.modules, "SegmentEditorWidget", None)  # there as soon as the module was opened
    editor = getattr(widget, "editor", None)
    if editor is not None and editor.segmentationNodeID() == segmentationNode.GetID():
        editor.saveStateForUndo()
