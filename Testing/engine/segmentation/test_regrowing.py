"""Corrections steer the cells: what is said stays, what lies beside it grows again, and all else stays as it was."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from support.images import AXIS_ORDERS, noise_image, rotation_about, turned
from support.obedient_model import obedient_model
from support.random_models import KERNELS, random_model
from support.threshold_model import threshold_model

from MedNCALib import FoundStructure, list_models, load_model, regrow, regrow_steps, segment
from MedNCALib.automaton.hints import HintFormat
from MedNCALib.errors import ImageError, MedNCAError, ModelError
from MedNCALib.segmentation import slice_groups
from MedNCALib.segmentation.steps import run_to_end

BACKGROUND = 255


def flat_image(size=(12, 10, 24), spacing=(1.0, 1.5, 2.0)):
    """Medium everywhere but in a bright box and a dark corner."""
    values = np.ones(size[::-1], np.int16)
    values[4:20, 3:6, 4:9] = 2
    values[:, :2, :2] = 0
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing)
    return image


def said(image, *strokes):
    """Corrections: (value, slices, rows, columns), each an index or a slice."""
    array = np.zeros(image.GetSize()[::-1], np.uint8)
    for value, *place in strokes:
        array[tuple(place)] = value
    corrections = sitk.GetImageFromArray(array)
    corrections.CopyInformation(image)
    return corrections


def voxels(image):
    return sitk.GetArrayFromImage(image)


def changed_slices(one, other):
    return np.flatnonzero((voxels(one) != voxels(other)).any(axis=(1, 2))).tolist()


@pytest.fixture(scope="module")
def grown():
    image, model = flat_image(), obedient_model()
    return image, model, segment(image, model).labels


def test_what_is_said_stays_and_the_cells_around_it_follow_in_its_slice_and_those_beside_it(grown):
    image, model, labels = grown
    found = regrow(image, model, labels, said(image, (2, 12, 8, 9), (BACKGROUND, 12, 4, 6)))
    after = voxels(found.labels)
    assert after[12, 8, 9] == 2
    assert after[12, 4, 6] == 0
    assert (after[12, 7:10, 8:11] == 2).all()
    assert (after[12, 3:6, 5:8] == 0).all()
    assert (after[[11, 13], 7:10, 8:11] == 2).all()  # one slice further a hint weighs half as much, which is enough
    assert changed_slices(found.labels, labels) == [10, 11, 12, 13, 14]
    assert found.changed == np.count_nonzero(after != voxels(labels)) - 2
    assert np.flatnonzero(voxels(found.regrown).any(axis=(1, 2))).tolist() == [10, 11, 12, 13, 14]
    assert voxels(found.regrown)[12, 8, 9] == 0


def test_a_correction_in_the_last_slice_computes_no_slice_that_it_does_not_come_in_to(grown):
    image, model, labels = grown
    seen = set()
    steps = regrow_steps(image, model, labels, said(image, (2, 23, 8, 9)))
    found = run_to_end(steps, lambda step: seen.add(step.slices[:2]))
    assert sorted({number for first, stop in seen for number in range(first, stop)}) == [21, 22, 23]
    assert changed_slices(found.labels, labels) == [22, 23] or changed_slices(found.labels, labels) == [21, 22, 23]


def test_only_what_is_new_grows_again_but_what_was_said_before_still_counts(grown):
    image, model, labels = grown
    first = said(image, (2, 12, 8, 9))
    both = said(image, (2, 12, 8, 9), (2, 13, 8, 4))
    before = regrow(image, model, labels, first)
    found = regrow(image, model, before.labels, both, corrections_before=first)
    assert np.flatnonzero(voxels(found.regrown).any(axis=(1, 2))).tolist() == [11, 12, 13, 14, 15]
    assert (voxels(found.labels)[12, 7:10, 8:11] == 2).all()
    np.testing.assert_array_equal(voxels(found.labels), voxels(regrow(image, model, labels, both).labels))
    forgotten = regrow(image, model, found.labels, first, corrections_before=both)
    assert np.flatnonzero(voxels(forgotten.regrown).any(axis=(1, 2))).tolist() == [11, 12, 13, 14, 15]
    np.testing.assert_array_equal(voxels(forgotten.labels), voxels(before.labels))
    nothing_new = regrow(image, model, before.labels, first, corrections_before=first)
    assert nothing_new.changed == 0
    assert not voxels(nothing_new.regrown).any()
    np.testing.assert_array_equal(voxels(nothing_new.labels), voxels(before.labels))


def test_the_result_is_the_same_whatever_the_kernel_the_groups_and_the_seedless_draws(grown, monkeypatch):
    image, _, _ = grown
    model = random_model(hints=HintFormat(2, 1.5), channels=17, axes="RAS", spacing=(None, None, None))
    labels = segment(image, model).labels
    corrections = said(image, (2, 12, 8, 9), (1, 3, slice(2, 5), slice(2, 5)), (BACKGROUND, 4, 8, 8))
    expected = regrow(image, model, labels, corrections, seed=4, engine="numpy")
    assert expected.changed > 0
    monkeypatch.setattr(slice_groups, "GROUP_BYTES", 1)
    for engine in KERNELS:
        found = regrow(image, model, labels, corrections, seed=4, engine=engine, threads=2)
        np.testing.assert_array_equal(voxels(found.labels), voxels(expected.labels))


@pytest.mark.parametrize("order", AXIS_ORDERS[::7])
def test_axis_orders_give_the_same_physical_result(order):
    image, model = noise_image(spacing=(0.8, 1.2, 1.0)), random_model(hints=HintFormat(2, 1.5), channels=17)
    image.SetDirection(np.ravel(turned(10)))
    labels = segment(image, model).labels
    corrections = said(image, (2, slice(3, 6), slice(4, 7), slice(4, 8)))
    expected = regrow(image, model, labels, corrections)
    assert expected.changed > 0
    stored, stored_labels, stored_corrections = (sitk.DICOMOrient(each, order) for each in (image, labels, corrections))
    found = regrow(stored, model, stored_labels, stored_corrections).labels
    own = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(image.GetDirection())
    np.testing.assert_array_equal(voxels(sitk.DICOMOrient(found, own)), voxels(expected.labels))


def test_corrections_and_labels_may_lie_on_other_grids(grown):
    image, model, labels = grown
    corrections = said(image, (2, 12, 8, 9))
    part = sitk.RegionOfInterest(corrections, (4, 4, 5), (7, 6, 10))
    cropped_labels = sitk.RegionOfInterest(labels, (12, 10, 20), (0, 0, 4))
    found = regrow(image, model, labels, part)
    np.testing.assert_array_equal(voxels(found.labels), voxels(regrow(image, model, labels, corrections).labels))
    found = regrow(image, model, cropped_labels, part)
    assert not voxels(found.labels)[:4].any()
    assert found.labels.GetSize() == image.GetSize()


def test_thin_strokes_on_a_finer_grid_than_the_model_s_are_heard():
    image = flat_image(size=(24, 20, 24), spacing=(0.5, 0.5, 2.0))
    model = replace(obedient_model(), slice_format=replace(obedient_model().slice_format, spacing=(1.0, 1.0, None)))
    labels = segment(image, model).labels
    found = regrow(image, model, labels, said(image, (2, 12, slice(10, 16), 15)))
    assert (voxels(found.labels)[12, 10:16, 14:17] == 2).all()
    assert found.changed > 6


def test_slices_between_those_of_the_model_are_regrown_too():
    image = flat_image(spacing=(1.0, 1.0, 1.0))
    model = replace(obedient_model(), slice_format=replace(obedient_model().slice_format, spacing=(1.0, 1.0, 2.0)))
    labels = segment(image, model).labels
    found = regrow(image, model, labels, said(image, (2, slice(12, 14), slice(7, 9), slice(8, 10))))
    numbers = np.flatnonzero(voxels(found.regrown).any(axis=(1, 2)))
    assert numbers[0] >= 7
    assert numbers[-1] <= 18
    assert set(range(10, 16)) <= set(numbers.tolist())
    assert found.changed > 0


def test_an_oblique_image_is_regrown_on_upright_slices_around_what_is_said():
    image, model = noise_image(size=(20, 18, 16)), random_model(hints=HintFormat(1, 1.5), channels=17, axes="LPS")
    image.SetDirection(rotation_about(0, 25).ravel())
    labels = segment(image, model).labels
    result = regrow(image, model, labels, said(image, (2, 8, slice(8, 11), slice(9, 12))))
    numbers, rows, columns = np.nonzero(voxels(result.regrown))
    assert len(numbers)
    assert result.changed > 0
    places = [
        image.TransformIndexToPhysicalPoint(index) for index in zip(*map(np.ndarray.tolist, (columns, rows, numbers)))
    ]
    heights = np.array(places)[:, 2]
    said_at = [image.TransformIndexToPhysicalPoint((column, row, 8))[2] for column in (9, 11) for row in (8, 10)]
    assert min(said_at) - 4 < heights.min()
    assert heights.max() < max(said_at) + 4


def test_labels_of_another_origin_are_what_it_starts_from_and_other_values_stay(grown):
    image, model, _ = grown
    other = np.zeros(image.GetSize()[::-1], np.uint8)
    other[2:5] = 1
    other[12, 7:10, 8:11] = 77  # a segment that the model does not know
    labels = sitk.GetImageFromArray(other)
    labels.CopyInformation(image)
    found = voxels(regrow(image, model, labels, said(image, (2, 12, 8, 9))).labels)
    assert found[12, 8, 9] == 2
    assert found[12, 7, 8] == 77
    np.testing.assert_array_equal(found[:10], other[:10])
    assert (found[12, 4, 5], found[12, 0, 9]) == (2, 1)  # what the image says


def test_without_labels_the_image_is_segmented_first(grown):
    image, model, labels = grown
    corrections = said(image, (2, 12, 8, 9))
    fractions = []
    steps = regrow_steps(image, model, None, corrections)
    found = run_to_end(steps, lambda step: fractions.append(step.fraction))
    np.testing.assert_array_equal(voxels(found.labels), voxels(regrow(image, model, labels, corrections).labels))
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)


def test_several_passes_give_an_uncertainty_that_leaves_out_what_a_person_has_decided(grown):
    image, _, _ = grown
    model = random_model(hints=HintFormat(1, 1.5), channels=17, axes="RAS", spacing=(None, None, None))
    labels = segment(image, model).labels
    corrections = said(image, (2, 12, slice(7, 10), slice(8, 11)))
    found = regrow(image, model, labels, corrections, runs=3, uncertainty=True)
    spread = voxels(found.uncertainty)
    assert np.flatnonzero(spread.any(axis=(1, 2))).tolist() == [11, 12, 13]
    assert not spread[12, 7:10, 8:11].any()
    assert regrow(image, model, labels, corrections).uncertainty is None


def test_only_the_region_grows_again(grown):
    image, model, labels = grown
    corrections = said(image, (2, 12, 7, 9), (2, 12, 9, 9))
    region = (-11.5, 0.5, -12.7, 0.7, -1.0, 47.0)  # right, anterior, superior: without the last row
    found = regrow(image, model, labels, corrections, region=region)
    assert voxels(found.labels)[12, 9, 8:11].tolist() == [1, 2, 1]
    assert voxels(found.labels)[12, 8, 8:11].tolist() == [2, 2, 2]
    assert not voxels(found.regrown)[:, 9].any()


def test_each_side_that_was_found_grows_with_its_own_labels():
    image, model = flat_image(size=(24, 10, 24)), obedient_model()
    array = voxels(image)
    array[..., 12:] = array[..., 11::-1]  # both sides alike
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((1.0, 1.5, 2.0))
    right, left = (-11.5, 0.5, -14.0, 0.7, -1.0, 47.0), (-23.5, -11.5, -14.0, 0.7, -1.0, 47.0)
    found = (FoundStructure("left", left, 1.0), FoundStructure("right", right, 1.0))
    first = segment(image, model, found=found)
    assert set(np.unique(voxels(first.labels))) == {0, 11, 12, 21, 22}
    result = regrow(image, model, first.labels, said(image, (12, 12, 8, 15)), found=first.found)
    after, before = voxels(result.labels), voxels(first.labels)
    assert (after[12, 7:10, 14:17] == 12).all()
    np.testing.assert_array_equal(after[..., :12], before[..., :12])
    assert [label.value for label in result.label_table] == [11, 12, 21, 22]
    assert result.found == found
    unsided = regrow(image, model, first.labels, said(image, (2, 12, 8, 15)), found=first.found)
    changed = voxels(unsided.labels) != after
    assert np.argwhere(changed).tolist() == [[12, 8, 15]]  # what was said stays as it was said


def test_closing_it_in_the_middle_leaves_everything_as_it_was(grown):
    image, model, labels = grown
    corrections, before = said(image, (2, 12, 8, 9)), voxels(labels)
    steps = regrow_steps(image, model, labels, corrections)
    next(steps)
    steps.close()
    np.testing.assert_array_equal(voxels(labels), before)


def test_a_model_that_was_not_trained_with_corrections_says_so(grown):
    image, _, labels = grown
    bundled = load_model("hippocampus-mr")
    for model in (threshold_model(), replace(bundled, cascade=bundled.cascade.without_hints)):
        with pytest.raises(ModelError, match=f"{model.name} cannot regrow"):
            regrow(image, model, labels, said(image, (1, 0, 0, 0)))
    assert not threshold_model().can_regrow
    assert obedient_model().can_regrow
    assert all(model.can_regrow for model in list_models())


@pytest.mark.parametrize(
    ("strokes", "message"), [((), "say nothing"), (((7, 0, 0, 0),), "7.*1 \\(medium\\), 2 \\(bright\\).*255")]
)
def test_corrections_that_say_nothing_or_what_the_model_does_not_know_are_refused(grown, strokes, message):
    image, model, labels = grown
    with pytest.raises(ImageError, match=message):
        regrow(image, model, labels, said(image, *strokes))


def test_what_is_no_label_image_is_refused(grown):
    image, model, labels = grown
    with pytest.raises(ImageError, match="corrections are no label image"):
        regrow(image, model, labels, sitk.Cast(image, sitk.sitkFloat32) * 0.5)
    with pytest.raises(ImageError, match="labels are no label image"):
        regrow(image, model, sitk.Cast(image, sitk.sitkInt16) - 5, said(image, (1, 0, 0, 0)))
    with pytest.raises(MedNCAError, match="at least 2 runs"):
        regrow(image, model, labels, said(image, (1, 0, 0, 0)), uncertainty=True)
    with pytest.raises(ModelError, match="load_model"):
        regrow(image, "prostate", labels, said(image, (1, 0, 0, 0)))


def test_a_model_with_hints_is_saved_and_loaded(tmp_path, grown):
    image, model, labels = grown
    loaded = load_model(model.save(tmp_path / "obedient").folder)
    assert loaded.can_regrow
    corrections = said(image, (2, 12, 8, 9))
    expected, found = (regrow(image, each, labels, corrections).labels for each in (model, loaded))
    np.testing.assert_array_equal(voxels(found), voxels(expected))
