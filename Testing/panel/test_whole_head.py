"""A whole head in the panel: one click, both sides out; where it looked, corrected boxes, and what it has to say."""

import numpy as np
import pytest
from support.brightness_model import rotation
from support.head_model import head, head_model
from support.panel_driver import choose_model, make_models, node_ids, open_panel, segment, segmentation_nodes
from support.scene_assertions import add_transform, add_volume, scene_content

NAMES = [f"{side} {part} hippocampus" for side in ("left", "right") for part in ("anterior", "posterior")]
VALUES = (11, 12, 21, 22)
COARSE = (3.0, 3.0, 3.0)


@pytest.fixture
def panel(host, tmp_path, monkeypatch):
    """The panel, opened, with a model that has a finder."""
    make_models(tmp_path, monkeypatch)
    head_model(tmp_path)
    widget = open_panel(host)
    choose_model(widget, "head-blocks")
    return widget


def choose(panel, image, name="head"):
    """Add a volume, choose and show it."""
    import slicer

    node = add_volume(image, name)
    panel.ui.inputSelector.setCurrentNode(node)
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


@pytest.fixture
def whole_head(panel):
    """Volume node of a head, and the true values of its voxels."""
    import SimpleITK as sitk

    image, labels = head(spacing=COARSE)
    return choose(panel, image), sitk.GetArrayFromImage(labels)


def segments(panel, volume_node):
    """Name -> voxels of each segment of the chosen output."""
    import slicer

    node = panel.ui.outputSelector.currentNode()
    segmentation = node.GetSegmentation()
    return {
        segmentation.GetSegment(each).GetName(): slicer.util.arrayFromSegmentBinaryLabelmap(node, each, volume_node) > 0
        for each in segmentation.GetSegmentIDs()
    }


def boxes():
    """The boxes that are in the scene, by the side they are for."""
    import slicer

    return {node.GetAttribute("MedNCA.Label"): node for node in slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")}


def move_forward(box, mm):
    right, anterior, superior = box.GetCenter()
    box.SetCenter(right, anterior + mm, superior)


def choose_find(panel, find):
    panel.ui.findComboBox.setCurrentIndex(panel.ui.findComboBox.findData(find))


def count_searches(panel, monkeypatch):
    """A list that gets an entry for each step of a finder."""
    steps = []
    show = panel._runSection._run._onStep
    monkeypatch.setattr(panel._runSection._run, "_onStep", lambda step, left: (steps.append(step), show(step, left)))
    return steps


def rows(table):
    columns = range(table.GetNumberOfColumns())
    return [[table.GetCellText(row, column) for column in columns] for row in range(table.GetNumberOfRows())]


def assert_true(panel, volume_node, truth):
    found = segments(panel, volume_node)
    assert list(found) == NAMES
    for name, value in zip(NAMES, VALUES, strict=True):
        np.testing.assert_array_equal(found[name], truth == value, err_msg=name)


def test_one_click_segments_both_sides(host, panel, whole_head):
    volume_node, truth = whole_head
    assert not panel.ui.hintFrame.visible
    segment(host, panel)
    assert_true(panel, volume_node, truth)
    assert panel.ui.statusLabel.text.startswith("Done in")
    for name in NAMES:
        assert name in panel.ui.statusLabel.text
    assert "brain 2" in panel.ui.statusLabel.text
    assert not panel.ui.notesLabel.visible


def test_segments_say_their_side_in_terminology_and_colour(host, panel, whole_head):
    segment(host, panel)
    segmentation = panel.ui.outputSelector.currentNode().GetSegmentation()
    entries = [segmentation.GetSegment(each) for each in segmentation.GetSegmentIDs()]
    for number, entry in enumerate(entries):
        side = "SCT^7771000^Left" if number < 2 else "SCT^24028007^Right"
        assert side in entry.GetTerminology()
    assert len({entry.GetColor() for entry in entries}) == 4


def test_tables_measure_each_side_both_and_the_brain(host, panel, whole_head):
    panel.ui.runsSpinBox.setValue(2)
    segment(host, panel)
    assert [row[0] for row in rows(panel.ui.qualityTableView.mrmlTableNode())] == NAMES
    measured = [row[:2] for row in rows(panel.ui.measurementTableView.mrmlTableNode())]
    for structure in ("left hippocampus", "right hippocampus", "hippocampus"):
        assert [structure, "Volume (mL)"] in measured
        assert [structure, "Share of the brain (%)"] in measured
    assert ["hippocampus", "Asymmetry (%)"] in measured
    assert ["left hippocampus", "Anterior/posterior"] in measured
    assert ["brain", "Volume (mL)"] in measured
    by_name = {(each["structure"], each["quantity"]): each for each in panel.logic.measurements}
    assert by_name["hippocampus", "asymmetry index"]["value"] == 0
    assert by_name["hippocampus", "volume"]["unit"] == "mL"


def test_boxes_show_where_it_looked_and_go_again(host, panel, whole_head):
    volume_node, _ = whole_head
    assert not panel.ui.foundButton.enabled
    segment(host, panel)
    assert panel.ui.foundButton.enabled
    before = node_ids()
    host.click(panel.ui.foundButton)
    assert set(boxes()) == {"left", "right"}
    assert boxes()["left"].GetName() == "head left hippocampus"
    for side, structure in zip(("left", "right"), panel.logic.outcome.found, strict=True):
        bounds = np.zeros(6)
        boxes()[side].GetRASBounds(bounds)
        np.testing.assert_allclose(bounds, structure.box, atol=1e-3)
        assert boxes()[side].GetNodeReference("MedNCA.Input") is volume_node
    assert panel.ui.regionSelector.currentNode() is None
    assert "move them" in panel.ui.statusLabel.text
    host.click(panel.ui.foundButton)
    assert node_ids() == before


def test_boxes_that_were_not_moved_give_the_same_without_a_search(host, panel, whole_head, monkeypatch):
    volume_node, truth = whole_head
    segment(host, panel)
    found = panel.logic.outcome
    host.click(panel.ui.foundButton)
    steps = count_searches(panel, monkeypatch)
    segment(host, panel)
    assert steps
    assert not any(step.is_finding for step in steps)
    assert_true(panel, volume_node, truth)
    assert panel.logic.outcome.found == found.found
    assert panel.logic.outcome.brainMl == found.brainMl
    assert panel.ui.foundButton.checked


def test_a_box_that_was_moved_is_used(host, panel, whole_head):
    volume_node, truth = whole_head
    segment(host, panel)
    host.click(panel.ui.foundButton)
    box = boxes()["left"]
    low = panel.logic.outcome.found[0].box[2]
    move_forward(box, 18)  # it begins within the posterior part
    segment(host, panel)
    assert panel.logic.outcome.found[0].box[2] == pytest.approx(low + 18, abs=1e-3)
    found = segments(panel, volume_node)
    assert 0 < np.count_nonzero(found["left posterior hippocampus"]) < np.count_nonzero(truth == 12)
    np.testing.assert_array_equal(found["right posterior hippocampus"], truth == 22)
    host.click(panel.ui.foundButton)  # away, so that the next run looks anew
    segment(host, panel)
    assert_true(panel, volume_node, truth)


def test_without_one_of_the_boxes_only_the_other_side_is_segmented(host, panel, whole_head):
    import slicer

    volume_node, truth = whole_head
    segment(host, panel)
    host.click(panel.ui.foundButton)
    slicer.mrmlScene.RemoveNode(boxes()["left"])
    segment(host, panel)
    found = segments(panel, volume_node)
    assert list(found) == NAMES[2:]
    np.testing.assert_array_equal(found[NAMES[2]], truth == 21)
    slicer.mrmlScene.RemoveNode(boxes()["right"])
    assert not panel.ui.foundButton.checked


def test_the_stress_test_stays_in_the_boxes(host, panel, whole_head):
    segment(host, panel)
    host.click(panel.ui.foundButton)
    move_forward(boxes()["left"], 3)
    host.click(panel.ui.stressButton)
    host.waitUntil(lambda: not panel.isRunning)
    assert panel.ui.statusLabel.text.startswith("The stress test is done")
    (left, _right) = panel.logic.stressOutcome.test.result.found
    assert left.box[2] == pytest.approx(panel.logic.outcome.found[0].box[2] + 3, abs=1e-3)


def test_the_stress_test_of_a_large_region_searches_nothing(host, panel, whole_head, monkeypatch):
    from MedNCAScene.inputs.region import placeBox

    host.click(panel.ui.placeRegionButton)
    placeBox(panel.ui.regionSelector.currentNode(), (-40, 20, -60, 60, 20, 80), (1, 0, 0))
    steps = count_searches(panel, monkeypatch)
    host.click(panel.ui.stressButton)
    host.waitUntil(lambda: not panel.isRunning)
    assert panel.ui.statusLabel.text.startswith("The stress test is done")
    assert not any(step.is_finding for step in steps)


def test_a_cell_is_plotted_as_it_was_in_its_box(host, panel, whole_head):
    from MedNCALib import MedNCAError

    volume_node, _ = whole_head
    segment(host, panel)
    right = panel.logic.outcome.found[1]
    middle = [sum(right.box[axis : axis + 2]) / 2 for axis in (0, 2, 4)]
    chart = panel.logic.plotCell(volume_node, middle, "head-blocks")
    assert chart.GetNumberOfPlotSeriesNodes()
    with pytest.raises(MedNCAError, match="outside of the boxes in which the model has looked"):
        panel.logic.plotCell(volume_node, (middle[0] - 18, *middle[1:]), "head-blocks")


def test_the_steps_of_both_sides_are_kept_and_their_memory_is_foreseen(host, panel, whole_head):
    import slicer

    panel.ui.keepGrowthCheckBox.setChecked(True)
    foreseen = panel.ui.growthEstimateLabel.text
    assert foreseen.startswith("Keeps all 4 steps: at least")
    segment(host, panel)
    node = panel.logic.outcome.growthNode
    cells = slicer.util.arrayFromVolume(node)
    megabytes = float(foreseen.split("at least ")[1].split()[0])
    assert 4 * cells.size / 1e6 == pytest.approx(megabytes, abs=0.06)
    assert panel.logic.outcome.growthBrowserNode.GetNumberOfItems() == 4
    for structure in panel.logic.outcome.found:
        assert cells[indices_in(node, structure.box)].any()


def indices_in(node, box):
    """Index expressions of the voxels of a volume node in a box (R0, R1, A0, A1, S0, S1)."""
    from MedNCAScene.inputs.geometry import ijkToRasOfVolume

    ends = np.array([[*box[::2], 1], [*box[1::2], 1]]) @ np.linalg.inv(ijkToRasOfVolume(node)).T
    return tuple(slice(max(0, int(low)), int(high) + 1) for low, high in np.sort(ends[:, 2::-1], axis=0).T)


@pytest.mark.parametrize("words", ["Finding the anatomy", "Left side", "Right side"])
def test_cancel_while_it_looks_or_grows_leaves_everything_as_it_was(host, panel, whole_head, words):
    before = scene_content()
    host.click(panel.ui.segmentButton)
    host.waitUntil(lambda: panel.ui.statusLabel.text.startswith(words) or not panel.isRunning)
    assert panel.isRunning
    host.click(panel.ui.segmentButton)
    assert panel.ui.statusLabel.text == "Cancelled; nothing was changed."
    assert scene_content() == before
    assert segmentation_nodes() == []


def test_progress_never_goes_back(host, panel, whole_head, monkeypatch):
    panel.ui.runsSpinBox.setValue(2)
    steps = count_searches(panel, monkeypatch)
    segment(host, panel)
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert any(step.is_finding for step in steps)


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        ({"sides": ()}, "No hippocampus was found in the volume."),
        ({"heads": 2, "size": (84, 200, 84)}, "several places"),
    ],
)
def test_a_volume_with_no_head_or_with_two_gives_one_line_and_no_result(host, panel, image, sentence):
    choose(panel, head(spacing=COARSE, **image)[0])
    nodes = node_ids()
    segment(host, panel)
    assert sentence in panel.ui.statusLabel.text
    assert "\n" not in panel.ui.statusLabel.text
    assert node_ids() == nodes
    assert panel.ui.outputSelector.currentNode() is None


def test_what_was_not_found_or_is_cut_is_said(host, panel):
    choose(panel, head(("left",), spacing=COARSE)[0])
    segment(host, panel)
    assert panel.ui.notesLabel.visible
    assert "The right hippocampus was not found" in panel.ui.notesLabel.text
    choose(panel, head(spacing=COARSE, shift=(24, 0, 0))[0])
    assert not panel.ui.notesLabel.visible  # of the other volume
    segment(host, panel)
    assert "The left hippocampus reaches the border of the volume" in panel.ui.notesLabel.text


def test_a_block_goes_straight_to_the_model(host, panel, monkeypatch):
    volume_node = choose(panel, head(("left",), (1.5, 1.5, 1.5), (30, 42, 30), shift=(-18, 0, 0))[0])
    steps = count_searches(panel, monkeypatch)
    segment(host, panel)
    assert not any(step.is_finding for step in steps)
    assert list(segments(panel, volume_node)) == ["anterior hippocampus", "posterior hippocampus"]
    assert not panel.ui.foundButton.enabled
    choose_find(panel, "always")
    segment(host, panel)
    assert list(segments(panel, volume_node)) == NAMES[:2]


def test_never_looks_nowhere_and_says_that_a_region_is_needed(host, panel, whole_head, monkeypatch):
    choose_find(panel, "never")
    assert panel.ui.hintFrame.visible
    assert panel.ui.hintButton.visible
    steps = count_searches(panel, monkeypatch)
    segment(host, panel)
    assert not any(step.is_finding for step in steps)
    choose_find(panel, "auto")
    assert not panel.ui.hintFrame.visible


def test_a_region_of_the_user_wins_over_search_and_boxes(host, panel, whole_head, monkeypatch):
    from MedNCAScene.inputs.region import placeBox

    volume_node, truth = whole_head
    segment(host, panel)
    host.click(panel.ui.foundButton)
    host.click(panel.ui.placeRegionButton)
    placeBox(panel.ui.regionSelector.currentNode(), panel.logic.outcome.found[1].box, (1, 0, 0))
    steps = count_searches(panel, monkeypatch)
    segment(host, panel)
    assert not any(step.is_finding for step in steps)
    found = segments(panel, volume_node)
    assert list(found) == ["anterior hippocampus", "posterior hippocampus"]
    np.testing.assert_array_equal(found["anterior hippocampus"], truth == 21)


def test_choice_is_hidden_for_a_model_without_a_finder(panel, whole_head):
    panel.ui.advancedCollapsibleButton.collapsed = False
    choose_find(panel, "always")
    for name in ("findComboBox", "findLabel", "foundButton"):
        assert getattr(panel.ui, name).visible
    choose_model(panel, "brightness")
    for name in ("findComboBox", "findLabel", "foundButton"):
        assert not getattr(panel.ui, name).visible
    assert panel.logic.getParameterNode().find == "auto"


def test_an_oblique_head_under_a_transform_is_found_and_its_boxes_lie_on_it(host, panel):
    import SimpleITK as sitk

    image, labels = head(spacing=COARSE)
    for each in (image, labels):
        each.SetDirection(rotation().ravel().tolist())
    volume_node = choose(panel, image)
    volume_node.SetAndObserveTransformNodeID(add_transform(translation=(40, 0, 0)).GetID())
    segment(host, panel)
    found = segments(panel, volume_node)
    assert list(found) == NAMES
    truth = sitk.GetArrayFromImage(labels)
    for name, value in zip(NAMES, VALUES, strict=True):
        both = np.count_nonzero(found[name] & (truth == value))
        assert 2 * both > 1.2 * (np.count_nonzero(found[name]) + np.count_nonzero(truth == value)) / 2
    structures = panel.logic.outcome.found
    host.click(panel.ui.foundButton)
    bounds = np.zeros(6)
    boxes()["left"].GetRASBounds(bounds)
    assert bounds[0] == pytest.approx(structures[0].box[0] + 40, abs=1e-2)
    segment(host, panel)
    assert panel.logic.outcome.found == structures


def test_what_was_found_is_saved_with_the_scene(host, panel, whole_head, tmp_path):
    import slicer

    segment(host, panel)
    found = panel.logic.outcome.found
    host.click(panel.ui.foundButton)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.processEvents()
    assert panel.ui.foundButton.checked
    segment(host, panel)
    assert panel.logic.outcome.found == found


def test_jump_goes_to_one_of_the_sides(host, panel, whole_head):
    """With the uncertainty of two places the views do not meet between them."""
    import slicer
    from MedNCAScene.results.overlay_volumes import jumpToUncertainty

    _, truth = whole_head
    panel.ui.runsSpinBox.setValue(2)
    panel.ui.uncertaintyCheckBox.setChecked(True)
    segment(host, panel)
    node = panel.logic.outcome.uncertaintyNode
    voxels = np.zeros(truth.shape, np.float32)
    voxels[truth == 11] = 0.2
    voxels[tuple(np.argwhere(truth == 22)[0])] = 0.5
    voxels[truth == 12] = 0.2
    slicer.util.updateVolumeFromArray(node, voxels)
    place = np.array([*jumpToUncertainty(node), 1.0])
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetRASToIJKMatrix(matrix)
    i, j, k = (round(index) for index in matrix.MultiplyPoint(place)[:3])
    assert voxels[k, j, i] > 0
