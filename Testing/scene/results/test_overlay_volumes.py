"""Probability and uncertainty as volumes: ticked in the panel, on the anatomy, filled anew by the next run."""

import numpy as np
import pytest
from support.brightness_model import boxesImage, rotation, truthOf
from support.panel_driver import cancelAtStep, chooseModel, nodeIds, segment, tick
from support.scene_assertions import addTransform, addVolume


def volumeNames():
    import slicer

    return sorted(node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"))


def test_noVolumesAreAddedUnlessAskedFor(host, panel, volumeNode):
    segment(host, panel)
    assert volumeNames() == ["head"]


def test_tickedProbabilityGivesAVolumePerLabel(host, panel, volumeNode):
    import slicer

    tick(host, panel.ui.probabilityCheckBox)
    segment(host, panel)
    assert volumeNames() == ["head", "head anterior hippocampus probability", "head posterior hippocampus probability"]
    truth = truthOf(boxesImage())
    for value, name in enumerate(volumeNames()[1:], 1):
        voxels = slicer.util.arrayFromVolume(slicer.util.getNode(name))
        assert voxels.dtype == np.float32
        np.testing.assert_array_equal(voxels > 0.5, truth == value)


def test_uncertaintyNeedsTwoRunsAndSaysSo(host, panel, volumeNode):
    assert not panel.ui.uncertaintyCheckBox.enabled
    assert "set Runs to 2 or more" in panel.ui.uncertaintyCheckBox.toolTip
    panel.ui.runsSpinBox.setValue(2)
    assert panel.ui.uncertaintyCheckBox.enabled
    assert "low confidence" in panel.ui.uncertaintyCheckBox.toolTip
    tick(host, panel.ui.uncertaintyCheckBox)
    segment(host, panel)
    assert "head uncertainty" in volumeNames()


def test_tickLeftFromMoreRunsDoesNotFailASingleRun(host, panel, volumeNode):
    panel.ui.runsSpinBox.setValue(2)
    tick(host, panel.ui.uncertaintyCheckBox)
    panel.ui.runsSpinBox.setValue(1)
    segment(host, panel)
    assert panel.ui.statusLabel.text.startswith("Done in")
    assert volumeNames() == ["head"]


def test_uncertaintyOverlaysInWarmColoursAndOnlyWhereThereIsSome(host, panel, volumeNode):
    node = uncertaintyNode(panel, volumeNode)
    display = node.GetDisplayNode()
    assert display.GetColorNode().GetName() == "Warm1"
    assert display.GetApplyThreshold()
    assert display.GetLowerThreshold() == pytest.approx(0.05)
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx((0.05, 0.5))


def uncertaintyNode(panel, volumeNode):
    panel.logic.process(volumeNode, model="brightness", runs=2, uncertainty=True)
    return panel.logic.outcome.uncertaintyNode


def test_volumesLieOnTheInputUnderItsTransformAndBesideIt(host, panel, volumeNode):
    import slicer

    folder = hierarchy().CreateFolderItem(hierarchy().GetSceneItemID(), "patient")
    hierarchy().SetItemParent(hierarchy().GetItemByDataNode(volumeNode), folder)
    volumeNode.SetAndObserveTransformNodeID(addTransform(rotation(), (50, 0, 0)).GetID())
    panel.logic.process(volumeNode, model="brightness", runs=2, probability=True, uncertainty=True)
    for node in (*panel.logic.outcome.probabilityNodes, panel.logic.outcome.uncertaintyNode):
        assert node.GetTransformNodeID() == volumeNode.GetTransformNodeID()
        assert hierarchy().GetItemParent(hierarchy().GetItemByDataNode(node)) == folder
        expected, found = matrix(), matrix()
        volumeNode.GetIJKToRASMatrix(expected)
        node.GetIJKToRASMatrix(found)
        np.testing.assert_allclose(
            slicer.util.arrayFromVTKMatrix(found), slicer.util.arrayFromVTKMatrix(expected), atol=1e-6
        )


def matrix():
    import vtk

    return vtk.vtkMatrix4x4()


def hierarchy():
    import slicer

    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)


def test_nextRunFillsTheSameVolumesAndKeepsTheirDisplay(host, panel, volumeNode):
    tick(host, panel.ui.probabilityCheckBox)
    segment(host, panel)
    nodes = panel.logic.outcome.probabilityNodes
    nodes[0].GetDisplayNode().SetWindowLevelMinMax(0.2, 0.3)
    before = nodeIds()
    segment(host, panel)
    assert panel.logic.outcome.probabilityNodes == nodes
    assert nodes[0].GetDisplayNode().GetWindowLevelMax() == pytest.approx(0.3)
    assert nodeIds() == before


def test_volumesOfAnotherInputAreLeftAlone(host, panel, volumeNode):
    tick(host, panel.ui.probabilityCheckBox)
    segment(host, panel)
    panel.ui.inputSelector.setCurrentNode(addVolume(name="second"))
    segment(host, panel)
    assert len(volumeNames()) == 6


def test_cancelledRunAddsNoVolumes(host, panel, volumeNode):
    tick(host, panel.ui.probabilityCheckBox)
    chooseModel(panel, "slow")
    before = nodeIds()
    cancelAtStep(host, panel, 70)
    assert nodeIds() == before


def test_outputIsNoInputToBeginWith(host, panel, volumeNode):
    from MedNCAScene.inputs.volumes import canBeInput

    panel.logic.process(volumeNode, model="brightness", probability=True)
    assert canBeInput(volumeNode)
    assert not any(canBeInput(node) for node in panel.logic.outcome.probabilityNodes)
