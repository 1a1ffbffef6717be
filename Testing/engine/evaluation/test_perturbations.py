"""Each perturbation does what its name says, to the image and to the labels, wherever the voxels are stored."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.images import AXIS_ORDERS, oblique_stack
from support.random_models import random_model
from support.shared_data import shared_data
from support.threshold_model import case, threshold_model

from MedNCALib.errors import ImageError
from MedNCALib.evaluation import perturbations
from MedNCALib.evaluation.perturbations import NAMES, STRONGER, LabelledCase, Stack, trials

UPRIGHT = np.eye(4)


def random():
    return np.random.default_rng(0)


def stack_of(image, labels=None):
    image = np.asarray(image, np.float32)
    labels = np.zeros(image.shape, np.uint8) if labels is None else np.asarray(labels, np.uint8)
    return Stack(image, labels, UPRIGHT, UPRIGHT)


def picture():
    """Three slices of 11 x 14 pixels, with a block of label 1 and one of label 2 in the middle."""
    values = np.random.default_rng(3).random((3, 11, 14), np.float32)
    labels = np.zeros((3, 11, 14), np.uint8)
    labels[:, 4:7, 4:7], labels[:, 4:7, 7:10] = 1, 2
    return stack_of(values, labels)


def voxels(image):
    return sitk.GetArrayFromImage(image)


# --- Intensities ---


def test_noise_has_its_standard_deviation_and_follows_from_the_seed():
    still = stack_of(np.full((20, 40, 50), 0.5))
    noisy = perturbations.noise(still, random(), sd=0.2)
    assert noisy.image.dtype == np.float32
    assert noisy.image.std() == pytest.approx(0.2, rel=0.02)
    assert noisy.image.mean() == pytest.approx(0.5, abs=0.005)
    np.testing.assert_array_equal(noisy.image, perturbations.noise(still, random(), sd=0.2).image)
    assert (noisy.image != perturbations.noise(still, np.random.default_rng(1), sd=0.2).image).any()


@pytest.mark.parametrize("shape", [(12, 30, 40), (1, 30, 40)])
def test_a_bias_field_is_smooth_and_reaches_both_ends(shape):
    field = perturbations.bias_field(stack_of(np.ones(shape)), random(), amplitude=0.5).image
    assert (field.min(), field.max()) == pytest.approx((1 / 1.5, 1.5))
    for axis in (1, 2):  # third order: the fourth differences vanish, where a noisy field's are large
        assert np.abs(np.diff(np.log(field.astype(float)), n=4, axis=axis)).max() < 1e-5
    other = perturbations.bias_field(stack_of(np.ones(shape)), np.random.default_rng(1), amplitude=0.5).image
    assert np.abs(field - other).max() > 0.1
    doubled = perturbations.bias_field(stack_of(np.full(shape, 2)), random(), amplitude=0.5).image
    np.testing.assert_allclose(doubled, 2 * field, rtol=1e-6)


def test_ghosts_lie_a_quarter_of_the_rows_up_and_down_and_go_around():
    point = np.zeros((2, 16, 5))
    point[1, 3, 2] = 1
    expected = point.copy()
    expected[1, 7, 2] = expected[1, 15, 2] = 0.2
    np.testing.assert_allclose(perturbations.ghosting(stack_of(point), random(), 0.2).image, expected, atol=1e-6)


def test_ghosts_where_the_rows_are_no_multiple_of_four_keep_the_image_and_its_sum():
    smooth = np.tile(np.exp(-(((np.arange(35) - 17) / 3) ** 2))[None, :, None], (1, 1, 4))
    ghosted = perturbations.ghosting(stack_of(smooth), random(), 0.2).image[0, :, 0]
    assert ghosted.shape == (35,)
    assert ghosted.sum() == pytest.approx(1.4 * smooth[0, :, 0].sum(), rel=1e-5)
    assert ghosted[17] == pytest.approx(1, abs=0.01)
    assert max(ghosted[8], ghosted[26]) == pytest.approx(0.2, abs=0.02)


def test_intensities_do_not_touch_labels():
    before = picture()
    for change in (
        lambda: perturbations.noise(before, random(), 0.2),
        lambda: perturbations.bias_field(before, random(), 0.5),
        lambda: perturbations.ghosting(before, random(), 0.2),
    ):
        after = change()
        assert (after.image != before.image).any()
        np.testing.assert_array_equal(after.labels, before.labels)
        np.testing.assert_array_equal(after.to_physical, before.to_physical)


# --- Geometry ---


@pytest.mark.filterwarnings("ignore:The .* of affine_transform")  # for a diagonal, in older SciPy
@pytest.mark.parametrize("factor", [0.8, 0.9, 1.1, 1.2, 2.0])
def test_scaling_agrees_with_scipy_for_image_and_labels(factor):
    ndimage = pytest.importorskip("scipy.ndimage")
    before = picture()
    after = perturbations.scale(before, random(), factor)
    for plane, (image, labels) in enumerate(zip(before.image, before.labels)):
        centre = (np.array(image.shape) - 1) / 2
        options = {"matrix": [1 / factor] * 2, "offset": centre * (1 - 1 / factor), "mode": "nearest"}
        np.testing.assert_allclose(after.image[plane], ndimage.affine_transform(image, order=1, **options), atol=1e-5)
        assert (after.labels[plane] != ndimage.affine_transform(labels, order=0, **options)).mean() < 0.02  # ties
    assert set(np.unique(after.labels)) == {0, 1, 2}
    np.testing.assert_array_equal(after.to_physical, before.to_physical)


def test_scaling_by_two_shows_the_middle_half_twice_as_large():
    labels = np.zeros((1, 8, 8))
    labels[0, 3:5, 2:6] = 1
    after = perturbations.scale(stack_of(labels, labels), random(), 2.0)
    expected = np.zeros((8, 8))
    expected[2:6, :] = 1
    np.testing.assert_array_equal(after.labels[0], expected)


def test_a_shift_moves_image_and_labels_alike_and_the_border_goes_on():
    line = np.arange(1, 7)
    after = perturbations.shift(stack_of(line.reshape(1, 6, 1), line.reshape(1, 6, 1)), random(), rows=2)
    np.testing.assert_array_equal(after.image.ravel(), [1, 1, 1, 2, 3, 4])
    np.testing.assert_array_equal(after.labels.ravel(), [1, 1, 1, 2, 3, 4])
    after = perturbations.shift(stack_of(line.reshape(1, 1, 6)), random(), columns=10)
    np.testing.assert_array_equal(after.image.ravel(), [1] * 6)


@pytest.mark.parametrize(("axis", "number"), [("slices", 0), ("rows", 1), ("columns", 2)])
def test_mirroring_turns_image_and_labels_around_one_axis(axis, number):
    before = picture()
    after = perturbations.mirror(before, random(), axis)
    np.testing.assert_array_equal(after.image, np.flip(before.image, number))
    np.testing.assert_array_equal(after.labels, np.flip(before.labels, number))


def test_thick_slices_are_means_of_pairs_that_lie_between_them():
    image = np.arange(5).reshape(5, 1, 1) * np.ones((1, 2, 3))
    labels = np.zeros((5, 2, 3))
    labels[0, 0, 0] = labels[3, 0, 1] = 1
    labels[2:4, 1, :] = (1, 2, 2), (2, 2, 0)
    after = perturbations.thick_slices(stack_of(image, labels), random())
    np.testing.assert_array_equal(after.image[:, 0, 0], [0.5, 2.5])  # the fifth has no partner
    np.testing.assert_array_equal(after.labels, [[[1, 0, 0], [0, 0, 0]], [[0, 1, 0], [1, 2, 2]]])
    np.testing.assert_array_equal(after.to_physical @ (0, 0, 1, 1), (0, 0, 2.5, 1))


def test_a_single_slice_cannot_get_thicker():
    assert perturbations.thick_slices(stack_of(np.ones((1, 4, 4))), random()) is None


# --- Stacks and trials ---


@pytest.mark.parametrize("axes", ["PIL", "acquired"])
def test_a_stack_is_the_image_in_the_models_axes_whatever_its_order(axes):
    image = oblique_stack((7, 9, 5), (1.3, 1.3, 8.0))
    truth = sitk.Cast(image > 0.7, sitk.sitkUInt8)
    expected = Stack.of(image, truth, axes)
    for order in AXIS_ORDERS:
        stack = Stack.of(sitk.DICOMOrient(image, order), sitk.DICOMOrient(truth, order), axes)
        np.testing.assert_array_equal(stack.image, expected.image)
        np.testing.assert_array_equal(stack.labels, expected.labels)
        np.testing.assert_allclose(stack.to_physical, expected.to_physical, atol=1e-9)
    back, labels = expected.images()
    limits = np.percentile(voxels(image), (0.5, 99.5))
    np.testing.assert_allclose(
        voxels(sitk.Resample(back, image, sitk.Transform(), sitk.sitkNearestNeighbor)),
        (voxels(image) - limits[0]) / (limits[1] - limits[0]),
        atol=1e-5,
    )
    same = sitk.Resample(labels, truth, sitk.Transform(), sitk.sitkNearestNeighbor)
    np.testing.assert_array_equal(voxels(same), voxels(truth))


def test_another_order_is_the_same_image_stored_otherwise():
    image = oblique_stack((4, 5, 6), (1.0, 1.1, 1.2))
    other = perturbations.other_order(image)
    orient = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines
    own, turned = orient(image.GetDirection()), orient(other.GetDirection())
    assert all(a != b for a, b in zip(own, turned))
    assert not set(own) & set(turned)
    assert other.GetSize() != image.GetSize()
    np.testing.assert_array_equal(voxels(sitk.DICOMOrient(other, own)), voxels(image))


def test_resting_gives_the_last_stage_more_steps():
    model = random_model(stages=((4, 4), (2, 3), (1, 5)))
    stages = perturbations.with_more_steps(model, 4).cascade.architecture.stages
    assert [stage.steps for stage in stages] == [4, 3, 20]


def test_trials_come_in_the_order_of_their_names_and_only_the_possible_ones():
    def names(image, truth, *wanted):
        return [trial.name for trial in trials(threshold_model(), LabelledCase("case", image, truth), 0, *wanted)]

    large = case(0, size=(24, 26, 7))
    assert names(*large) == list(NAMES)
    some = ["steps x 2", *STRONGER, "mirrored", "unperturbed"]
    assert names(*large, some) == some
    assert names(*(image[:, :, 3:4] for image in large)) == [name for name in NAMES if name != "thick slices"]
    small = case(0, size=(9, 26, 7))  # columns that are all border
    image = np.zeros((7, 26, 9), np.float32)
    image[:, :, 4] = 1
    copy = sitk.GetImageFromArray(image)
    copy.CopyInformation(small[1])
    assert names(copy, small[1]) == [name for name in NAMES if name != "shift 10 columns"]


def test_the_seed_alone_decides_what_is_random():
    def images(seed):
        found = trials(threshold_model(), LabelledCase("case", *case(0)), seed)
        return {trial.name: voxels(trial.image) for trial in found}

    one, again, other = images(5), images(5), images(6)
    for name in one:
        np.testing.assert_array_equal(one[name], again[name])
        assert (one[name] != other[name]).any() == (name.startswith(("noise", "bias")))


def test_an_image_without_contrast_is_refused():
    image, truth = case(0)
    with pytest.raises(ImageError, match="no contrast"):
        list(trials(threshold_model(), LabelledCase("case", image * 0, truth), 0))


def test_the_trials_of_a_real_volume_hold_its_anatomy():
    name = "hippocampus_052.nii.gz"
    image, truth = (sitk.ReadImage(str(shared_data("hippocampus", part, name))) for part in ("images", "labels"))
    every = trials(random_model(), LabelledCase(name, image, truth), 0, (*NAMES, *STRONGER))
    found = {trial.name: trial for trial in every}
    volume = {
        name: voxels(trial.labels > 0).sum() * np.prod(trial.labels.GetSpacing()) for name, trial in found.items()
    }
    for name, factor in (
        ("scale 0.6", 0.36),
        ("scale 0.8", 0.64),
        ("scale 0.9", 0.81),
        ("scale 1.1", 1.21),
        ("scale 1.2", 1.44),
    ):
        assert volume[name] == pytest.approx(factor * volume["unperturbed"], rel=0.03)
    for name in ("noise 0.4", "bias field 0.5", "ghosting 0.4", "mirrored", "axis order", "steps x 4"):
        assert volume[name] == volume["unperturbed"]
    # Since half a voxel is enough, thick slices show a little more.
    assert volume["unperturbed"] < volume["thick slices"] < 1.15 * volume["unperturbed"]

    # ITK's own means of pairs, along the sagittal slices of the model.
    thick = sitk.DICOMOrient(found["thick slices"].image, "LPS")
    expected = sitk.BinShrink(sitk.Cast(sitk.DICOMOrient(image, "LPS"), sitk.sitkFloat32), [2, 1, 1])
    assert thick.GetSize() == expected.GetSize()
    assert thick.GetOrigin() == pytest.approx(expected.GetOrigin(), abs=1e-4)
    assert np.corrcoef(voxels(thick).ravel(), voxels(expected).ravel())[0, 1] > 0.9999


# --- Back to where the anatomy lies ---


@pytest.mark.parametrize("order", ["RAS", "PIL", "SRA"])
@pytest.mark.parametrize(
    "name", ["noise 0.1", "shift 10 rows", "shift 10 columns", "scale 0.9", "mirrored", "axis order"]
)
def test_labels_of_a_trial_are_brought_back_onto_the_unperturbed_image(name, order):
    labels = np.zeros((30, 36, 40), np.uint8)
    labels[12:18, 12:22, 14:24], labels[12:18, 16:22, 14:18] = 1, 2
    truth = sitk.GetImageFromArray(labels)
    truth.SetSpacing((1.0, 1.5, 2.0))
    truth.SetOrigin((-7.0, 3.0, 11.0))
    truth = sitk.DICOMOrient(truth, order)
    image = sitk.Cast(truth, sitk.sitkFloat32)
    (trial,) = trials(threshold_model(), LabelledCase("", image, truth), 0, [name])
    back = trial.onto(image, trial.labels)
    assert back.GetDirection() == pytest.approx(truth.GetDirection())
    same = (voxels(back) == voxels(truth)).mean()
    assert same == 1 if name != "scale 0.9" else same > 0.99


def test_what_a_trial_does_not_show_has_no_labels():
    image = sitk.GetImageFromArray(np.arange(3 * 30 * 30, dtype=np.float32).reshape(3, 30, 30))
    truth = sitk.Cast(image * 0 + 1, sitk.sitkUInt8)
    (trial,) = trials(threshold_model(), LabelledCase("", image, truth), 0, ["shift 10 rows"])
    lost = voxels(trial.onto(image, trial.labels)) == 0
    assert lost.mean() == pytest.approx(1 / 3)


def test_a_smaller_picture_shows_more_anatomy_in_each_voxel():
    image, truth = case(size=(20, 20, 9))
    scaled, as_it_is = trials(threshold_model(), LabelledCase("", image, truth), 0, ["scale 0.8", "noise 0.1"])
    assert as_it_is.voxel_ml == pytest.approx(np.prod(image.GetSpacing()) / 1000)
    assert scaled.voxel_ml == pytest.approx(as_it_is.voxel_ml / 0.8**2)
