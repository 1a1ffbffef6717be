"""Corrections in the scene: edits stay, what lies beside them regrows; it can be undone, saved and forgotten."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.brightness_model import MODULE, brightness_model, rotation
from support.corrections import STROKE, Editor, flat_image, voxels_of
from support.obedient_model import obedient_model
from support.scene_assertions import add_transform, add_volume, content_of, new_segmentation, scene_content

from MedNCALib.errors import ImageError, MedNCAError, ModelError

K, J, _I = STROKE
AROUND = slice(J - 1, J + 2), slice(_I - 1, _I + 2)


@pytest.fixture
def logic(host, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDNCA_MODELS", str(tmp_path / "models"))
    obedient_model().save(tmp_path / "models" / "obedient")
    host.loadModule(MODULE)
    import MedNCA

    return MedNCA.MedNCALogic()


@pytest.fixture
def volume_node(logic):
    return add_volume(flat_image())


@pytest.fixture
def segmentation_node(logic, volume_node):
    return logic.process(volume_node, model="obedient")


@pytest.fixture
def editor(segmentation_node, volume_node):
    return Editor(segmentation_node, volume_node)


def changed_slices(segmentation_node, volume_node, before):
    after = voxels_of(segmentation_node, 2, volume_node)
    return np.flatnonzero((after != before).any(axis=(1, 2))).tolist()


def test_what_was_painted_and_erased_stays_and_the_cells_beside_it_follow(
    logic, volume_node, segmentation_node, editor
):
    before = voxels_of(segmentation_node, 2, volume_node)
    editor.paint(STROKE)
    editor.paint((K, 4, 6), erase=True)
    assert logic.regrow(segmentation_node) is segmentation_node
    after = voxels_of(segmentation_node, 2, volume_node)
    assert after[K][AROUND].all()
    assert not after[K, 3:6, 5:8].any()
    assert changed_slices(segmentation_node, volume_node, before) == [10, 11, 12, 13, 14]
    assert logic.regrowOutcome.said == 2
    assert logic.regrowOutcome.changed > 10
    medium = voxels_of(segmentation_node, 1, volume_node)
    assert not (medium & after).any()


def test_corrections_add_up_and_can_be_taken_back_or_forgotten(logic, volume_node, segmentation_node, editor):
    own = voxels_of(segmentation_node, 2, volume_node)
    editor.paint(STROKE)
    with_stroke = voxels_of(segmentation_node, 2, volume_node)
    logic.regrow(segmentation_node)
    once = voxels_of(segmentation_node, 2, volume_node)
    editor.paint((K + 1, J, 3))
    with pytest.raises(MedNCAError, match="changed since"):
        logic.undoRegrow(segmentation_node)
    logic.regrow(segmentation_node)
    twice = voxels_of(segmentation_node, 2, volume_node)
    assert twice[K][AROUND].all()
    assert twice[K + 1, J - 1 : J + 2, 2:5].all()
    logic.forgetCorrections(segmentation_node)
    np.testing.assert_array_equal(voxels_of(segmentation_node, 2, volume_node), own)
    with pytest.raises(MedNCAError, match="no corrections"):
        logic.forgetCorrections(segmentation_node)
    logic.undoRegrow(segmentation_node)
    np.testing.assert_array_equal(voxels_of(segmentation_node, 2, volume_node), twice)
    logic.undoRegrow(segmentation_node)
    assert voxels_of(segmentation_node, 2, volume_node)[K + 1, J, 3]
    editor.paint((K + 1, J, 3), value=1)  # over it: the segments are as they had grown
    np.testing.assert_array_equal(voxels_of(segmentation_node, 2, volume_node), once)
    logic.undoRegrow(segmentation_node)
    np.testing.assert_array_equal(voxels_of(segmentation_node, 2, volume_node), with_stroke)


def test_undo_of_the_segment_editor_brings_back_what_counts_as_corrected_too(
    logic, volume_node, segmentation_node, editor
):
    editor.paint(STROKE)
    editor.logic.SaveStateForUndo()
    logic.regrow(segmentation_node)
    grown = voxels_of(segmentation_node, 2, volume_node)
    editor.logic.Undo()
    assert voxels_of(segmentation_node, 2, volume_node)[K][AROUND].sum() == 1
    logic.regrow(segmentation_node)
    assert logic.regrowOutcome.said == 1
    np.testing.assert_array_equal(voxels_of(segmentation_node, 2, volume_node), grown)
    editor.logic.Undo()
    editor.logic.Undo()
    with pytest.raises(ImageError, match="Nothing was corrected"):
        logic.regrow(segmentation_node)


@pytest.mark.parametrize("ending", [".mrb", ".seg.nrrd"])
def test_corrections_go_on_after_saving_and_loading(
    logic, volume_node, segmentation_node, editor, tmp_path, host, ending
):
    import slicer

    editor.paint(STROKE)
    logic.regrow(segmentation_node)
    editor.paint((K + 1, J, 3))
    path = str(tmp_path / f"saved{ending}")
    if ending == ".mrb":
        slicer.util.saveScene(path)
        host.closeScene()
        slicer.util.loadScene(path)
        loaded = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")[0]
        volume = slicer.util.getNode("head")
    else:
        slicer.util.saveNode(segmentation_node, path)
        slicer.mrmlScene.RemoveNode(segmentation_node)
        loaded, volume = slicer.util.loadSegmentation(path), volume_node
    logic.regrow(loaded, volume)
    after = voxels_of(loaded, 2, volume)
    assert logic.regrowOutcome.said == 1
    assert after[K][AROUND].all()
    assert after[K + 1, J - 1 : J + 2, 2:5].all()
    logic.forgetCorrections(loaded, volume)
    assert not voxels_of(loaded, 2, volume)[K][AROUND].any()


def test_it_regrows_under_a_rotated_transform_and_on_an_oblique_anisotropic_volume(logic):
    """Values and places are the same as without a transform: the voxels of the volume are counted."""
    image = flat_image(spacing=(0.7, 1.9, 3.1))
    plain = add_volume(image)
    found = []
    for volume_node in (plain, add_volume(image, "turned")):
        if volume_node is not plain:
            outer = add_transform(rotation(), (50, -20, 5))
            inner = add_transform(rotation((-5, 10, 70)), (1, 2, 3))
            inner.SetAndObserveTransformNodeID(outer.GetID())
            volume_node.SetAndObserveTransformNodeID(inner.GetID())
        node = logic.process(volume_node, model="obedient")
        Editor(node, volume_node).paint(STROKE)
        logic.regrow(node)
        assert node.GetTransformNodeID() == volume_node.GetTransformNodeID()
        found.append(voxels_of(node, 2, volume_node))
    assert found[0][K][AROUND].all()
    np.testing.assert_array_equal(*found)


def test_segments_beside_those_of_somebody_else_in_another_space_regrow_where_they_are(logic, volume_node):
    import slicer

    turned = add_transform(rotation(), (5, 6, 7))
    node = new_segmentation(volume_node)
    volume_node.SetAndObserveTransformNodeID(turned.GetID())
    node.GetSegmentation().AddEmptySegment("theirs", "theirs")
    slicer.util.updateSegmentBinaryLabelmapFromArray(np.ones((24, 10, 12), np.uint8), node, "theirs", volume_node)
    theirs = content_of(node, "theirs")
    logic.process(volume_node, node, model="obedient")
    assert node.GetTransformNodeID() is None
    bright = node.GetSegmentation().GetSegmentIDs()[2]
    labelmap = node.GetSegmentation().GetSegment(bright).GetRepresentation("Binary labelmap")
    assert not labelmap.IsEmpty()
    voxels = slicer.util.arrayFromSegmentBinaryLabelmap(node, bright, volume_node)
    voxels[STROKE] = 1
    write(node, bright, labelmap, voxels, volume_node)
    logic.regrow(node)
    assert not logic.regrowOutcome.isStart
    assert (slicer.util.arrayFromSegmentBinaryLabelmap(node, bright, volume_node)[K][AROUND] > 0).all()
    assert content_of(node, "theirs") == theirs


def write(node, segment_id, labelmap, voxels, volume_node):
    """Edit a segment on its own grid."""
    from MedNCAScene.results.segments import imageOnGridOf, labelmapFromImage, placeIn

    edited = labelmapFromImage(imageOnGridOf(volume_node, voxels.astype(np.uint8)))
    placeIn(node, edited, volume_node)
    node.GetSegmentation().ClearSegment(segment_id)
    node.GetSegmentation().GetSegment(segment_id).SetLabelValue(1)
    node.GetSegmentation().GetSegment(segment_id).AddRepresentation("Binary labelmap", edited)


def test_a_segmentation_from_elsewhere_is_the_starting_point_all_of_it(logic, volume_node):
    import slicer

    node = new_segmentation(volume_node)
    drawn = np.zeros((24, 10, 12), np.uint8)
    drawn[2:5, 2:5, 2:5] = 1
    for name, voxels in (("Bright", drawn), ("theirs", np.roll(drawn, 5, 2)), ("medium", np.roll(drawn, 4, 1))):
        segment_id = node.GetSegmentation().AddEmptySegment("", name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, node, segment_id, volume_node)
    ids = node.GetSegmentation().GetSegmentIDs()
    before = [content_of(node, each) for each in ids]
    with pytest.raises(MedNCAError, match="choose the model"):
        logic.regrow(node)
    logic.regrow(node, model="obedient")
    assert logic.regrowOutcome.isStart
    assert [content_of(node, each) for each in ids] == before
    Editor(node, volume_node).paint(STROKE, value=1)
    logic.regrow(node)
    assert (slicer.util.arrayFromSegmentBinaryLabelmap(node, ids[0], volume_node)[K][AROUND] > 0).all()
    assert content_of(node, ids[1]) == before[1]
    grown = slicer.util.arrayFromSegmentBinaryLabelmap(node, ids[0], volume_node)
    np.testing.assert_array_equal(grown[:9], drawn[:9])
    logic.forgetCorrections(node)
    assert [content_of(node, each) for each in ids] == before
    other = new_segmentation(volume_node, "other")
    other.GetSegmentation().AddEmptySegment("", "liver")
    with pytest.raises(ImageError, match="medium, bright"):
        logic.regrow(other, model="obedient")


def test_segments_that_were_moved_are_a_new_starting_point_and_not_one_large_correction(
    logic, volume_node, segmentation_node
):
    segmentation_node.SetAndObserveTransformNodeID(add_transform(rotation((0, 0, 20))).GetID())
    segmentation_node.HardenTransform()
    with pytest.raises(MedNCAError, match="no corrections"):
        logic.forgetCorrections(segmentation_node)
    logic.regrow(segmentation_node, model="obedient")
    assert logic.regrowOutcome.isStart


def test_each_side_that_was_found_regrows_with_its_own_labels(logic):
    """The place that was found is kept too: nothing is searched again."""
    import slicer
    from MedNCAScene.results.kept_results import keepResult
    from MedNCAScene.results.segments import writeSegments

    from MedNCALib import FoundStructure, load_model, segment

    voxels = sitk.GetArrayFromImage(flat_image(spacing=(1.0, 1.0, 1.0)))
    image = sitk.GetImageFromArray(np.concatenate([voxels, voxels[..., ::-1]], axis=2))
    volume_node = add_volume(image)
    right, left = (-11.5, 0.5, -14.0, 0.7, -1.0, 47.0), (-23.5, -11.5, -14.0, 0.7, -1.0, 47.0)
    model = load_model("obedient")
    result = segment(image, model, found=(FoundStructure("left", left, 1.0), FoundStructure("right", right, 1.0)))
    node = writeSegments(result.labels, model, volume_node, None, result.label_table)
    keepResult(node, volume_node, model, result, None)
    ids = node.GetSegmentation().GetSegmentIDs()
    assert len(ids) == 4
    before = [slicer.util.arrayFromSegmentBinaryLabelmap(node, each, volume_node) for each in ids]
    Editor(node, volume_node).paint((K, J, 15), value=2)
    logic.regrow(node)
    after = [slicer.util.arrayFromSegmentBinaryLabelmap(node, each, volume_node) for each in ids]
    assert (after[1][K, J - 1 : J + 2, 14:17] > 0).all()
    np.testing.assert_array_equal(after[2], before[2])
    np.testing.assert_array_equal(after[3], before[3])


def test_several_passes_show_the_uncertainty_again_and_send_nobody_where_a_person_has_decided(logic, tmp_path):
    import slicer
    from MedNCAScene.results.overlay_volumes import jumpToUncertainty, uncertaintyOf
    from support.random_models import random_model

    from MedNCALib.automaton.hints import HintFormat

    random_model(hints=HintFormat(1, 1.5), channels=17, axes="RAS", spacing=(None, None, None), name="random").save(
        tmp_path / "models" / "random"
    )
    volume_node = add_volume(flat_image())
    node = logic.process(volume_node, model="random", runs=2, uncertainty=True, table=True)
    spread = slicer.util.arrayFromVolume(uncertaintyOf(volume_node)).copy()
    least_sure = np.unravel_index(spread.argmax(), spread.shape)
    slice_number = int(least_sure[0])
    Editor(node, volume_node).paint((slice_number, slice(None), slice(None)))
    logic.regrow(node, runs=2)
    again = slicer.util.arrayFromVolume(uncertaintyOf(volume_node))
    decided = voxels_of(node, 2, volume_node)[slice_number]
    assert decided.all()
    assert again[slice_number][spread[slice_number] > 0].min() == 0
    far = [k for k in range(24) if abs(k - slice_number) > 1]
    np.testing.assert_array_equal(again[far], spread[far])
    assert jumpToUncertainty(uncertaintyOf(volume_node)) is not None


def test_the_tables_show_the_volumes_of_what_was_corrected(logic, volume_node):
    import slicer
    from MedNCAScene.results.quality_table import verdictOf

    node = logic.process(volume_node, model="obedient", table=True)
    table = logic.outcome.tableNode
    before = float(table.GetCellText(1, 1))
    Editor(node, volume_node).paint(STROKE)
    logic.regrow(node)
    voxel_ml = 0.003
    assert float(table.GetCellText(1, 1)) == pytest.approx(voxels_of(node, 2, volume_node).sum() * voxel_ml, abs=0.001)
    assert verdictOf(table).isCorrected
    logic.undoRegrow(node)
    assert float(table.GetCellText(1, 1)) == before
    assert not verdictOf(table).isCorrected
    assert slicer.util.getNodesByClass("vtkMRMLTableNode")[0] is table


def test_a_write_that_fails_takes_the_earlier_ones_back(logic, volume_node, segmentation_node, editor, monkeypatch):
    from MedNCAScene import regrow_run

    editor.paint(STROKE)
    before = scene_content()

    def fail(*_args):
        raise RuntimeError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(regrow_run, "_writeVolumes", fail)
        with pytest.raises(RuntimeError, match="disk full"):
            logic.regrow(segmentation_node)
    assert scene_content() == before
    logic.regrow(segmentation_node)
    assert voxels_of(segmentation_node, 2, volume_node)[K][AROUND].all()


def test_what_was_edited_deleted_or_closed_meanwhile_is_not_written_over(logic, volume_node, segmentation_node, editor):
    import slicer

    editor.paint(STROKE)
    steps = logic.regrowSteps(segmentation_node)
    next(steps)
    before = scene_content()
    steps.close()
    assert scene_content() == before
    steps = logic.regrowSteps(segmentation_node)
    next(steps)
    editor.paint((2, 2, 2))
    with pytest.raises(ImageError, match="edited during the run"):
        list(steps)
    steps = logic.regrowSteps(segmentation_node)
    next(steps)
    slicer.mrmlScene.RemoveNode(volume_node)
    with pytest.raises(ImageError, match="head was deleted"):
        list(steps)


def test_a_model_that_cannot_regrow_says_so(logic, volume_node, tmp_path):
    brightness_model(tmp_path / "models", name="brightness")
    node = logic.process(volume_node, model="brightness")
    with pytest.raises(ModelError, match="brightness cannot regrow"):
        logic.regrow(node)


def test_in_a_sequence_the_frame_that_is_shown_regrows_and_keeps_it(logic):
    from support.beating_heart import add_cine

    frame = sitk.GetArrayFromImage(flat_image())
    volume_node, browser = add_cine(np.stack([frame, frame[::-1]]), spacing=(1.0, 1.5, 2.0), origin=(0.0, 0.0, 0.0))
    browser.SetSelectedItemNumber(0)
    node = logic.process(volume_node, model="obedient", allFrames=True)
    others = voxels_of(node, 2, volume_node)
    browser.SetSelectedItemNumber(1)
    Editor(node, volume_node).paint(STROKE)
    logic.regrow(node)
    grown = voxels_of(node, 2, volume_node)
    assert grown[K][AROUND].all()
    browser.SetSelectedItemNumber(0)
    np.testing.assert_array_equal(voxels_of(node, 2, volume_node), others)
    browser.SetSelectedItemNumber(1)
    np.testing.assert_array_equal(voxels_of(node, 2, volume_node), grown)
    with pytest.raises(ImageError, match="Nothing was corrected"):
        logic.regrow(node)
