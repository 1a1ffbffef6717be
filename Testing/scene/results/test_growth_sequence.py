"""Kept steps: a sequence with the promised frames, seen in the slice views, saved and opened again."""

import numpy as np
import pytest
from support.brightness_model import MODULE, boxes_image, brightness_model, rotation, truth_of
from support.scene_assertions import add_transform, add_volume
from support.slice_view_probe import colored, layers, pixels

ORANGE, BLUE = (230, 159, 0), (86, 180, 233)  # of the two labels


@pytest.fixture
def model(tmp_path):
    return brightness_model(tmp_path, steps=5)


@pytest.fixture
def logic(host):
    host.loadModule(MODULE)
    import MedNCA

    return MedNCA.MedNCALogic()


@pytest.fixture
def volume_node(logic):
    import slicer

    node = add_volume()
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


def keep(logic, volume_node, model, what="labels", **options):
    logic.process(volume_node, model=str(model.folder), keepGrowth=what, **options)
    return logic.outcome.growthNode, logic.outcome.growthBrowserNode


def frames(browser):
    """Step -> voxels, read from the sequence alone."""
    import slicer

    sequence = browser.GetMasterSequenceNode()
    return {
        int(sequence.GetNthIndexValue(index)): slicer.util.arrayFromVolume(sequence.GetNthDataNode(index)).copy()
        for index in range(sequence.GetNumberOfDataNodes())
    }


def ijk_to_ras(node):
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def test_growth_is_kept_of_all_cells_and_only_then_do_all_run(logic, volume_node, model, monkeypatch):
    from MedNCALib.segmentation import segmenter

    asked, original = [], segmenter.segment_steps

    def record(image, model, **options):
        asked.append(options["all_cells"])
        return original(image, model, **options)

    monkeypatch.setattr(segmenter, "segment_steps", record)
    logic.process(volume_node, model=str(model.folder))
    keep(logic, volume_node, model)
    logic.process(volume_node, model=str(model.folder), allCells=True)
    assert asked == [False, True, True]


def assert_on_the_boxes(node, volume_node, voxels, value, truth=1):
    """The cells of a value are the voxels of a label, in the space of the volume."""
    from support.scene_assertions import sorted_points

    expected = sorted_points(np.argwhere(truth_of(boxes_image()) == truth)[:, ::-1], ijk_to_ras(volume_node))
    found = sorted_points(np.argwhere(voxels == value)[:, ::-1], ijk_to_ras(node))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_sequence_has_a_frame_for_each_step(logic, volume_node, model):
    node, browser = keep(logic, volume_node, model)
    kept = frames(browser)
    assert list(kept) == list(range(1, 11))
    assert not kept[5].any()  # the coarse stage of this model is silent
    assert_on_the_boxes(node, volume_node, kept[10], 127)
    assert_on_the_boxes(node, volume_node, kept[10], 254, truth=2)


def test_frames_lie_on_the_volume_under_its_transform(logic, volume_node, model):
    volume_node.SetAndObserveTransformNodeID(add_transform(rotation(), (50, 0, 0)).GetID())
    node, browser = keep(logic, volume_node, model)
    browser.SetSelectedItemNumber(7)
    assert node.GetTransformNodeID() == volume_node.GetTransformNodeID()


def test_selected_frame_is_shown_by_the_volume(logic, volume_node, model):
    import slicer

    node, browser = keep(logic, volume_node, model)
    kept = frames(browser)
    for number in (0, 6, 9, 2):
        browser.SetSelectedItemNumber(number)
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), kept[number + 1])
    assert ijk_to_ras(node) == pytest.approx(ijk_to_ras(browser.GetMasterSequenceNode().GetNthDataNode(0)))


def test_playing_it_is_seen_in_the_slice_views(host, logic, volume_node, model, tmp_path):
    import slicer

    node, browser = keep(logic, volume_node, model)
    slicer.mrmlScene.RemoveNode(logic.outcome.segmentationNode)
    slicer.util.setSliceViewerLayers(foreground=node, foregroundOpacity=0.7)
    centre = tuple((ijk_to_ras(volume_node) @ [6, 12, 5, 1])[:3])
    shares = []
    for number in (0, 5, 9):
        browser.SetSelectedItemNumber(number)
        picture = pixels(host, tmp_path / f"{number}.png", centreOn=centre)
        shares.append(colored(picture, ORANGE).sum())
    assert shares[0] == 0
    assert shares[2] > 1000


def test_growth_is_exported_from_the_python_console(host, logic, volume_node, model, tmp_path):
    from PIL import Image

    keep(logic, volume_node, model)
    before = layers()
    assert logic.exportGrowth(tmp_path / "growth.gif") == [tmp_path / "growth.gif"]
    assert layers() == before
    with Image.open(tmp_path / "growth.gif") as picture:
        assert colored(np.asarray(picture.convert("RGB")).astype(int), ORANGE).sum() == 0
        picture.seek(picture.n_frames - 1)
        assert colored(np.asarray(picture.convert("RGB")).astype(int), ORANGE).sum() > 500
    assert len(logic.exportGrowth(tmp_path / "growth.png")) == 10


def test_export_without_kept_steps_says_what_to_do(logic, volume_node, model, tmp_path):
    from MedNCALib import MedNCAError

    for _ in range(2):
        with pytest.raises(MedNCAError, match="segment with keepGrowth first"):
            logic.exportGrowth(tmp_path / "growth.gif")
        logic.process(volume_node, model=str(model.folder))


def test_probability_of_a_label_is_kept_in_percent(logic, volume_node, model):
    node, browser = keep(logic, volume_node, model, "probability:2")
    last = frames(browser)[10]
    assert last.dtype == np.uint8
    assert last.max() == 100
    assert_on_the_boxes(node, volume_node, last > 50, True, truth=2)


def test_hidden_channel_is_kept(host, tmp_path, logic):
    """Of the bundled model, whose hidden channels are not silent."""
    volume_node = add_volume()
    logic.process(volume_node, keepGrowth="hidden:3")
    kept = frames(logic.outcome.growthBrowserNode)
    assert kept[1].dtype == np.float32
    steps = {}
    for step in logic.processSteps(volume_node, allCells=True):
        number = sum(stage.steps for stage in step.architecture.stages[: step.stage - 1]) + step.step
        third_hidden = step.architecture.image_channels + step.architecture.outputs + 2
        steps[number] = step.full_size(step.state[..., third_hidden])
    assert list(kept) == list(steps)
    for number in (1, len(steps)):
        # The model's slices run to the left; with columns to posterior and rows to inferior that is left-handed, which
        # files of sequences cannot hold.
        np.testing.assert_allclose(kept[number][::-1], steps[number], atol=1e-5)


def test_when_it_settled_is_one_volume(logic, volume_node, model):
    import slicer

    node, browser = keep(logic, volume_node, model, "settled")
    assert browser is None
    assert node.GetName() == "head when it settled"
    settled = slicer.util.arrayFromVolume(node)
    assert ((settled > 5) & (settled <= 10)).sum() == (truth_of(boxes_image()) > 0).sum()
    assert node.GetDisplayNode().GetApplyThreshold()


def test_estimate_is_what_is_kept(logic, volume_node, model):
    from MedNCAScene.results.growth_sequence import estimateGrowth

    guess = estimateGrowth(volume_node, model, "labels", megabytes=1)
    _, browser = keep(logic, volume_node, model)
    kept = frames(browser)
    assert (guess.kept, guess.steps) == (10, 10)
    assert guess.megabytes == pytest.approx(sum(frame.nbytes for frame in kept.values()) / 1e6)


def test_cap_thins_the_steps(logic, model):
    from MedNCAScene.results.growth_sequence import estimateGrowth

    large = add_volume(boxes_image((100, 100, 40)), "large")
    guess = estimateGrowth(large, model, "labels", megabytes=2)
    _, browser = keep(logic, large, model, growthMegabytes=2)
    assert guess.kept == len(frames(browser)) == 5
    assert list(frames(browser))[-1] == 10


def test_next_run_replaces_the_growth(logic, volume_node, model):
    import slicer

    keep(logic, volume_node, model)
    before = slicer.mrmlScene.GetNumberOfNodes()
    _, browser = keep(logic, volume_node, model, "probability:1")
    segmentations = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    slicer.mrmlScene.RemoveNode(segmentations[-1].GetDisplayNode())
    slicer.mrmlScene.RemoveNode(segmentations[-1])
    assert slicer.mrmlScene.GetNumberOfNodes() == before
    assert browser.GetAttribute("MedNCA.View") == "Probability of anterior hippocampus (%)"


def test_saved_scene_that_is_opened_again_plays_the_same(host, logic, volume_node, model, tmp_path):
    import slicer

    node, browser = keep(logic, volume_node, model)
    slicer.mrmlScene.RemoveNode(logic.outcome.segmentationNode)
    slicer.util.setSliceViewerLayers(foreground=node, foregroundOpacity=0.7)
    centre = tuple((ijk_to_ras(volume_node) @ [6, 12, 5, 1])[:3])
    before, pictures_before = frames(browser), []
    for number in (0, 9):
        browser.SetSelectedItemNumber(number)
        pictures_before.append(pixels(host, tmp_path / "picture.png", centreOn=centre))
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    host.closeScene()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    reopened = slicer.util.getNode("head growth browser")
    after = frames(reopened)
    assert list(after) == list(before)
    for number, frame in after.items():
        np.testing.assert_array_equal(frame, before[number])
    for number, expected in zip((0, 9), pictures_before):
        reopened.SetSelectedItemNumber(number)
        np.testing.assert_array_equal(
            slicer.util.arrayFromVolume(slicer.util.getNode("head growth")), before[number + 1]
        )
        np.testing.assert_array_equal(pixels(host, tmp_path / "picture.png", centreOn=centre), expected)


def test_hidden_channel_is_dark_where_it_is_near_zero(host, logic, tmp_path):
    """Blue below zero, orange above, darker where the channel has less to say, and nothing where it has none."""
    import slicer

    volume_node = add_volume()
    slicer.util.arrayFromVolume(volume_node)[:] = 0
    slicer.util.setSliceViewerLayers(background=volume_node, fit=True)
    node = add_volume(name="cells")
    values = np.zeros(slicer.util.arrayFromVolume(node).shape, np.float32)
    values[:, :, :6], values[:, :, 6:12], values[:, :, 12:18] = -1, 0.25, 1
    slicer.util.updateVolumeFromArray(node, values)
    from MedNCAScene.results.cell_colors import addSignedColors, showCellColors

    showCellColors(node, addSignedColors(), (-1, 1))
    slicer.util.setSliceViewerLayers(foreground=node, foregroundOpacity=1.0)
    picture = pixels(host, tmp_path / "signed.png", centreOn=tuple((ijk_to_ras(volume_node) @ [10, 12, 8, 1])[:3]))
    assert colored(picture, BLUE).sum() > 1000
    lengths = np.linalg.norm(picture, axis=-1)[colored(picture, (230, 158, 0))]
    pale, strong = np.percentile(lengths, 2), np.percentile(lengths, 98)
    assert pale == pytest.approx(0.51 * strong, rel=0.05)
