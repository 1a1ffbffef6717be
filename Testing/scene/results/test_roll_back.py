"""A run whose results cannot all be written leaves the scene as it was, whichever write fails."""

import numpy as np
import pytest
from support.brightness_model import boxes_image, brightness_model
from support.panel_driver import segment
from support.scene_assertions import add_hand_drawn_segment, add_transform, add_volume, labels_of, scene_content

# What fails -> the module, the function in it, and after which of its calls.
WRITES = {
    "first segment": ("results.segments", "_describedSegment", 1),
    "second segment": ("results.segments", "_describedSegment", 2),
    "segments": ("segmentation_run", "writeSegments", 1),
    "first probability": ("results.overlay_volumes", "_filledVolume", 1),
    "second probability": ("results.overlay_volumes", "_filledVolume", 2),
    "uncertainty": ("segmentation_run", "writeUncertainty", 1),
    "second column of the table": ("results.quality_table", "addColumn", 2),
    "table": ("segmentation_run", "writeQuality", 1),
    "measurements": ("segmentation_run", "writeMeasurements", 1),
    "colours of the growth": ("results.growth_sequence", "showCellColors", 1),
    "names of the sequence": ("results.growth_sequence", "uniqueName", 3),
}


@pytest.fixture(params=WRITES)
def failing_write(request, host, monkeypatch):
    """From when it is called, a write of results fails after its work."""
    import importlib

    name, function, calls = WRITES[request.param]

    def let_it_fail():
        module = importlib.import_module(f"MedNCAScene.{name}")
        original, left = getattr(module, function), [calls]

        def write(*arguments, **options):
            result = original(*arguments, **options)
            left[0] -= 1
            if left[0] == 0:
                raise MemoryError("for the test")
            return result

        monkeypatch.setattr(module, function, write)
        return left

    return let_it_fail


@pytest.fixture
def all_results(panel):
    """A panel that asks for everything that a run can write."""
    panel.ui.runsSpinBox.setValue(2)
    for box in (panel.ui.probabilityCheckBox, panel.ui.uncertaintyCheckBox, panel.ui.keepGrowthCheckBox):
        box.setChecked(True)
    return panel


def test_a_first_run_adds_nothing(host, all_results, volume_node, failing_write):
    before = scene_content()
    left = failing_write()
    segment(host, all_results)
    assert left == [0]
    assert "for the test" in all_results.ui.statusLabel.text
    assert scene_content() == before
    assert host.errors == []


@pytest.mark.parametrize("others", [True, False], ids=["beside the user's segment", "alone"])
def test_a_later_run_leaves_the_earlier_results_and_the_next_one_works(
    host, all_results, volume_node, failing_write, others
):
    """Of another image, under another transform, and with surfaces."""
    import slicer

    segment(host, all_results)
    output = all_results.ui.outputSelector.currentNode()
    if others:
        add_hand_drawn_segment(output, volume_node)
    output.GetDisplayNode().SetSegmentOpacity2DFill(output.GetSegmentation().GetNthSegmentID(1), 0.25)
    host.click(all_results.ui.show3DButton)
    voxels = slicer.util.arrayFromVolume(volume_node)
    voxels[:] = np.roll(voxels, 2, axis=1)
    slicer.util.arrayFromVolumeModified(volume_node)
    volume_node.SetAndObserveTransformNodeID(add_transform(translation=(50, 0, 0)).GetID())
    before = scene_content()
    left = failing_write()
    segment(host, all_results)
    assert left == [0]
    assert "for the test" in all_results.ui.statusLabel.text
    assert scene_content() == before
    assert host.errors == []
    segment(host, all_results)
    assert all_results.ui.statusLabel.text.startswith("Done in")
    assert classes(scene_content()) == classes(before)


def classes(content):
    return sorted(node_class for node_class, *_ in content.values())


def test_an_empty_segmentation_of_the_user_stays_empty(host, all_results, volume_node, failing_write):
    import slicer

    mine = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    all_results.ui.outputSelector.setCurrentNode(mine)
    before = scene_content()
    failing_write()
    segment(host, all_results)
    assert scene_content() == before


def test_a_segment_that_was_removed_comes_back_in_its_place(host, tmp_path):
    """Of a label that an earlier version of the model had."""
    from MedNCAScene.results.roll_back import allOrNothing
    from MedNCAScene.results.segments import writeSegments

    model, volume_node = brightness_model(tmp_path), add_volume()
    output = writeSegments(labels_of(boxes_image()), model, volume_node)
    add_hand_drawn_segment(output, volume_node)
    before = scene_content()

    class Newer:
        name, labels = model.name, model.labels[1:]

    def write_and_stop():
        with allOrNothing(Newer, volume_node, output):
            writeSegments(labels_of(boxes_image()) * 0, Newer, volume_node, output)
            assert output.GetSegmentation().GetNumberOfSegments() == 2
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_stop()
    assert scene_content() == before
