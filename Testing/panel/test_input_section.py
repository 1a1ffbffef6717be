"""Input in the panel: try it on a sample, place a region, be told that one is needed."""

import numpy as np
import pytest
from support.brightness_model import boxes_image, brightness_model
from support.panel_driver import choose_model, make_models, open_panel, segment
from support.scene_assertions import add_transform, add_volume
from support.slice_view_probe import pixels


@pytest.fixture
def panel(host, tmp_path, monkeypatch):
    from dataclasses import replace

    make_models(tmp_path, monkeypatch)
    model = brightness_model(tmp_path, name="narrow")
    replace(model, card=replace(model.card, field_of_view_mm=(6, 9, 8))).save(tmp_path / "narrow")
    widget = open_panel(host)
    choose_model(widget, "narrow")
    return widget


@pytest.fixture
def volume_node(panel):
    node = add_volume(boxes_image())
    panel.ui.inputSelector.setCurrentNode(node)
    return node


def bounds(node):
    values = np.zeros(6)
    node.GetRASBounds(values)
    return values


def region(panel):
    return panel.ui.regionSelector.currentNode()


def test_try_it_loads_the_phantom_and_chooses_it(host, panel):
    import slicer

    host.click(panel.ui.tryButton)
    node = panel.ui.inputSelector.currentNode()
    assert node.GetName() == "MedNCA synthetic phantom"
    red = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed")
    assert red.GetBackgroundVolumeID() == node.GetID()
    assert panel.ui.segmentButton.enabled


def test_try_it_names_the_sample_that_suits_the_model(panel):
    assert "Sample Data" not in panel.ui.tryButton.toolTip
    choose_model(panel, "hippocampus-mr")
    assert "MRHead in the module Sample Data" in panel.ui.tryButton.toolTip


def test_card_tells_what_the_model_expects(panel):
    assert "6 x 9 x 8 mm" in panel.ui.modelLabel.text
    assert "Licence: Apache-2.0" in panel.ui.modelLabel.text


def test_hint_comes_with_a_large_volume_and_goes_with_the_region(host, panel, volume_node):
    assert panel.ui.hintFrame.visible
    assert "much larger than the 6 x 9 x 8 mm" in panel.ui.hintLabel.text
    host.click(panel.ui.hintButton)
    assert not panel.ui.hintFrame.visible
    panel.ui.regionSelector.setCurrentNode(None)
    assert panel.ui.hintFrame.visible


def test_no_hint_where_the_volume_fits_or_the_model_does_not_say(panel, volume_node):
    panel.ui.inputSelector.setCurrentNode(add_volume(boxes_image((20, 20, 16), (0.4, 0.5, 0.5))))
    assert not panel.ui.hintFrame.visible
    panel.ui.inputSelector.setCurrentNode(volume_node)
    choose_model(panel, "brightness")
    assert not panel.ui.hintFrame.visible
    assert not panel.ui.placeRegionButton.enabled


def test_region_is_placed_in_the_middle_of_the_volume(host, panel, volume_node):
    volume_node.SetAndObserveTransformNodeID(add_transform(np.eye(3), (50, 0, 0)).GetID())
    host.click(panel.ui.placeRegionButton)
    assert region(panel).GetName() == "head region"
    assert region(panel).GetSize() == (6, 9, 8)
    middle = (bounds(volume_node)[::2] + bounds(volume_node)[1::2]) / 2
    assert region(panel).GetCenterWorld() == pytest.approx(middle)


def test_region_is_placed_around_the_crosshair(host, panel, volume_node):
    import slicer

    place = np.add(bounds(volume_node)[::2], (5, 6, 7))
    slicer.util.getNode("Crosshair").SetCrosshairRAS(place)
    host.click(panel.ui.placeRegionButton)
    assert region(panel).GetCenterWorld() == pytest.approx(place)
    slicer.util.getNode("Crosshair").SetCrosshairRAS(0, 0, 0)


def test_placed_region_covers_nothing_of_the_volume(host, panel, volume_node, tmp_path):
    import slicer

    slicer.util.setSliceViewerLayers(background=volume_node, fit=True)
    host.click(panel.ui.placeRegionButton)
    region(panel).GetDisplayNode().SetHandlesInteractive(False)  # they are around it
    middle = region(panel).GetCenterWorld()
    with_region = pixels(host, tmp_path / "with.png", centreOn=middle, zoom=2)
    slicer.mrmlScene.RemoveNode(region(panel))
    without = pixels(host, tmp_path / "without.png", centreOn=middle, zoom=2)
    changed = (with_region != without).any(axis=-1)
    assert 0 < changed.mean() < 0.05


def test_placing_again_moves_the_same_region(host, panel, volume_node):
    host.click(panel.ui.placeRegionButton)
    first = region(panel)
    first.SetSize(1, 1, 1)
    host.click(panel.ui.placeRegionButton)
    assert region(panel) is first
    assert first.GetSize() == (6, 9, 8)


def test_placed_region_is_used_by_the_run(host, panel, volume_node):
    import slicer

    host.click(panel.ui.placeRegionButton)
    segment(host, panel)
    (segmentation_node,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    low, high = bounds(region(panel))[::2], bounds(region(panel))[1::2]
    found = bounds(segmentation_node)
    spacing = np.array([1.0, 1.5, 2.0])
    assert np.all(found[::2] >= low - spacing)
    assert np.all(found[1::2] <= high + spacing)


def test_a_deleted_volume_is_followed_by_another(host, panel, volume_node):
    import slicer

    other = add_volume(name="other head")
    slicer.mrmlScene.RemoveNode(volume_node)
    assert panel.ui.inputSelector.currentNode() is other
    assert panel.logic.getParameterNode().inputVolume is other
    assert panel.ui.segmentButton.enabled
    slicer.mrmlScene.RemoveNode(other)
    assert panel.ui.inputSelector.currentNode() is None
    assert not panel.ui.segmentButton.enabled


def test_a_deleted_volume_is_not_followed_by_a_result(host, panel, volume_node):
    import slicer

    choose_model(panel, "brightness")
    panel.ui.probabilityCheckBox.setChecked(True)
    segment(host, panel)
    last = add_volume(name="last")
    panel.ui.inputSelector.setCurrentNode(last)
    slicer.mrmlScene.RemoveNode(last)
    assert panel.ui.inputSelector.currentNode() is volume_node


def test_a_result_is_not_chosen_when_the_module_is_opened(host, panel, volume_node):
    panel.logic.process(volume_node, model="brightness", probability=True)
    panel.ui.inputSelector.setCurrentNode(panel.logic.outcome.probabilityNodes[0])
    host.closeModule()
    host.openModule("MedNCA")
    assert panel.ui.inputSelector.currentNode() is volume_node


#
# A volume that does not fit
#


def shown_hint(panel):
    return panel.ui.hintLabel.text if panel.ui.hintFrame.visible else ""


def test_a_volume_for_another_model_is_hinted_at(host, panel):
    choose_model(panel, "prostate-mr-t2")
    host.click(panel.ui.tryButton)
    assert "prostate-mr-t2 is for MR" in shown_hint(panel)
    assert not panel.ui.hintButton.visible  # a region is no help
    choose_model(panel, "hippocampus-mr")
    assert shown_hint(panel) == ""


def test_hint_follows_the_region(host, panel, volume_node):
    host.click(panel.ui.hintButton)
    assert shown_hint(panel) == ""
    region(panel).SetSize(1, 1, 1)
    assert "shows only" in shown_hint(panel)
    assert not panel.ui.hintButton.visible
    region(panel).SetSize(6, 9, 8)
    assert shown_hint(panel) == ""


def test_hint_comes_with_voxels_that_come_later(host, panel):
    import slicer

    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    panel.ui.inputSelector.setCurrentNode(empty)
    assert shown_hint(panel) == ""
    slicer.util.updateVolumeFromArray(empty, np.ones((30, 30, 30), np.uint8))
    assert "much larger" in shown_hint(panel)


def test_a_played_sequence_is_not_checked_for_each_frame(host, panel, volume_node, monkeypatch):
    import slicer
    from MedNCAScene.inputs import checks

    monkeypatch.setattr(checks, "check_input", lambda *_: ["checked again"])
    slicer.util.arrayFromVolumeModified(volume_node)
    assert "much larger" in shown_hint(panel)
    choose_model(panel, "brightness")
    assert shown_hint(panel) == "checked again"


class DicomDatabase:
    """Knows the attributes of one instance."""

    def __init__(self, **values):
        self._values = values

    def instanceValue(self, instance, tag):
        assert instance == "1.2.3"
        return {"0008,0060": self._values.get("modality", "")}.get(tag, "")


def test_modality_in_the_dicom_database_is_known(host, panel, monkeypatch):
    import slicer

    choose_model(panel, "hippocampus-mr")
    host.click(panel.ui.tryButton)
    volume_node = panel.ui.inputSelector.currentNode()
    volume_node.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    monkeypatch.setattr(slicer, "dicomDatabase", DicomDatabase(modality="CT"), raising=False)
    choose_model(panel, "brightness")
    choose_model(panel, "hippocampus-mr")
    assert "its modality is CT" in shown_hint(panel)
