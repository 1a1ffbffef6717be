"""From an image to a result: grouping, seeds, regions, runs, and everything that is refused or must be handled."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from support.images import AXIS_ORDERS, noise_image, rotated, turned
from support.random_models import KERNELS, random_model
from support.threshold_model import case, threshold_model

from MedNCALib import segment, segment_steps
from MedNCALib.errors import ImageError, MedNCAError, ModelError
from MedNCALib.imaging.normalisation import Normalisation
from MedNCALib.imaging.slice_space import SliceSpace
from MedNCALib.segmentation import segmenter, slice_groups
from MedNCALib.segmentation.model_input import ModelInput
from MedNCALib.segmentation.output import argmax_labels


def voxels(image):
    return sitk.GetArrayFromImage(image)


def same_place(one, other):
    return (
        one.GetSize() == other.GetSize()
        and one.GetSpacing() == other.GetSpacing()
        and one.GetOrigin() == other.GetOrigin()
        and one.GetDirection() == other.GetDirection()
    )


@pytest.fixture(scope="module")
def done():
    """An image whose axes are turned a little, and its result."""
    image = noise_image(spacing=(0.8, 1.2, 1.0))
    image.SetDirection(np.ravel(turned(10)))
    return image, segment(image, random_model()).labels


@pytest.mark.parametrize("order", AXIS_ORDERS)
def test_the_48_axis_orders_give_the_same_physical_result(done, order):
    image, expected = done
    stored = sitk.DICOMOrient(image, order)
    found = segment(stored, random_model()).labels
    assert same_place(found, stored)
    back = sitk.DICOMOrient(found, sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(image.GetDirection()))
    np.testing.assert_array_equal(voxels(back), voxels(expected))
    assert len(np.unique(voxels(expected))) == 3


@pytest.mark.parametrize("engine", KERNELS)
def test_one_seed_gives_one_result_whatever_the_grouping_and_the_threads(engine, monkeypatch):
    image, model = noise_image(), random_model()
    whole = segment(image, model, seed=5, engine="numpy", probabilities=True)
    monkeypatch.setattr(slice_groups, "GROUP_BYTES", 1)  # one slice at a time
    single = segment(image, model, seed=5, engine=engine, threads=2, probabilities=True)
    for name, probability in whole.probabilities.items():
        np.testing.assert_allclose(voxels(single.probabilities[name]), voxels(probability), atol=1e-4)
    other = segment(image, model, seed=6, probabilities=True)
    assert np.abs(voxels(other.probabilities["first"]) - voxels(whole.probabilities["first"])).max() > 0.01


def test_the_result_is_right_and_lies_where_the_image_lies():
    image, labels = case()
    image.SetOrigin((5, -6, 7))
    image.SetDirection(np.ravel(turned(25)))
    result = segment(image, threshold_model())
    assert same_place(result.labels, image)
    assert result.labels.GetPixelID() == sitk.sitkUInt8
    np.testing.assert_array_equal(voxels(result.labels), voxels(labels))


INTEGERS = [getattr(sitk, f"sitk{sign}Int{bits}") for sign in ("", "U") for bits in (8, 16, 32, 64)]


@pytest.mark.parametrize("kind", [*INTEGERS, sitk.sitkFloat32, sitk.sitkFloat64])
def test_every_scalar_voxel_type_is_handled(kind):
    image, labels = case()
    image = sitk.Cast(sitk.Cast(labels, sitk.sitkUInt8) * 60, kind)
    np.testing.assert_array_equal(voxels(segment(image, threshold_model()).labels), voxels(labels))


@pytest.mark.parametrize("size", [(20, 17, 1), (1, 1, 5), (2, 3, 2), (1, 30, 4)])
def test_a_single_slice_and_volumes_smaller_than_the_model_sees_are_handled(size):
    image = noise_image(size)
    assert segment(image, random_model()).labels.GetSize() == size


def test_a_two_dimensional_image_becomes_a_volume_of_one_slice():
    image = sitk.GetImageFromArray(np.random.default_rng(0).random((12, 15), np.float32))
    assert segment(image, random_model(axes="LPS", spacing=(None,) * 3)).labels.GetSize() == (15, 12, 1)


def test_anisotropic_volumes_come_back_on_their_own_grid():
    image = noise_image((40, 30, 6), spacing=(0.5, 0.7, 4.0))
    result = segment(image, random_model(), probabilities=True)
    assert same_place(result.labels, image)
    assert same_place(result.probabilities["first"], image)


def test_steps_count_up_to_the_whole_work():
    model = random_model(((4, 2), (1, 3)))
    steps = list(segment_steps(noise_image(), model, runs=2))
    assert [(s.run, s.stage, s.step, s.steps) for s in steps] == [
        (run, stage, step, total) for run in (1, 2) for stage, total in ((1, 2), (2, 3)) for step in range(1, total + 1)
    ]
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    # A step of the first stage works on a sixteenth of the cells.
    assert fractions[0] == pytest.approx((2 / 16 + 3) ** -1 / 16 / 2)


def test_groups_of_slices_cover_the_volume_once(monkeypatch):
    monkeypatch.setattr(slice_groups, "GROUP_BYTES", 400_000)
    steps = segment_steps(noise_image(), random_model())
    groups = [step.slices for step in steps if (step.stage, step.step) == (1, 1)]
    assert len(groups) > 1
    assert groups[0][0] == 0
    assert groups[-1][1] == groups[-1][2] == 18
    assert all(before[1] == after[0] for before, after in zip(groups, groups[1:]))


def test_a_step_shows_the_probabilities_of_its_cells():
    step = next(iter(segment_steps(noise_image(), random_model())))
    assert step.scale == 4
    assert step.probabilities().shape == (*step.state.shape[:3], 2)
    assert ((step.probabilities() >= 0) & (step.probabilities() <= 1)).all()


def test_a_region_limits_the_work_and_leaves_the_rest_background():
    image, labels = case()
    space = SliceSpace(image, threshold_model().slice_format)
    region = (-8.6, 0.4, -6.8, 0.7, -1.0, 7.0)  # all columns and rows, slices 0 to 3
    found = voxels(segment(image, threshold_model(), region=region).labels)
    expected = voxels(labels)
    expected[4:] = 0
    np.testing.assert_array_equal(found, expected)
    inside = SliceSpace(image, threshold_model().slice_format, region=region)
    assert inside.count == 4 < space.count


def test_several_runs_average_the_probabilities_and_measure_their_spread():
    image, model = noise_image(), random_model()
    runs = [voxels(segment(image, model, seed=0, probabilities=True).probabilities["first"])]
    both = segment(image, model, runs=2, probabilities=True, uncertainty=True)
    mean = voxels(both.probabilities["first"])
    runs.append(2 * mean - runs[0])  # the second run, since the first is the one above
    assert ((runs[1] >= -1e-5) & (runs[1] <= 1 + 1e-5)).all()
    spread = voxels(both.uncertainty)
    assert (spread >= np.abs(runs[0] - runs[1]) / 2 - 1e-5).all()
    assert spread.max() > 0.01


def test_a_cancelled_run_leaves_nothing_behind():
    steps = segment_steps(noise_image(), random_model())
    next(steps)
    steps.close()
    with pytest.raises(StopIteration):
        next(steps)


def peak_memory(model, slices, monkeypatch, width=64, degrees=0):
    """Bytes that segmenting needs at most, beyond the image and the label image that it returns."""
    monkeypatch.setattr(slice_groups, "GROUP_BYTES", 1 << 20)
    image = sitk.Image([width, width, slices], sitk.sitkInt16)
    image[: width // 2] = 100
    image = rotated(image, 2, degrees)
    tracemalloc.start()
    try:
        labels = segment(image, model).labels
        return tracemalloc.get_traced_memory()[1] - labels.GetNumberOfPixels()
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_slices(monkeypatch):
    small, large = (peak_memory(threshold_model(), slices, monkeypatch) for slices in (40, 320))
    assert large < 1.2 * small  # eight times the voxels


def test_memory_does_not_grow_with_the_number_of_oblique_slices(monkeypatch):
    model = random_model(stages=((1, 1),), axes="LPS")
    small, large = (peak_memory(model, slices, monkeypatch, width=24, degrees=30) for slices in (20, 160))
    assert large < 1.2 * small


def test_an_oblique_image_gives_labels_probabilities_and_uncertainty_on_its_own_grid():
    image = rotated(noise_image(), 1, 25)
    result = segment(image, random_model(), runs=2, probabilities=True, uncertainty=True)
    for found in (result.labels, result.uncertainty, *result.probabilities.values()):
        assert same_place(found, image)
    assert set(np.unique(voxels(result.labels))) == {0, 1, 2}
    shares = np.stack([voxels(probability) for probability in result.probabilities.values()])
    np.testing.assert_array_equal(voxels(result.labels), argmax_labels(np.moveaxis(shares, 0, -1)))
    volumes = [volume.mean for volume in result.quality.volumes_ml.values()]
    counts = [np.count_nonzero(voxels(result.labels) == value) for value in (1, 2)]
    np.testing.assert_allclose(volumes, np.array(counts) / 1000)


def test_one_seed_gives_one_result_of_an_oblique_image_whatever_the_grouping(monkeypatch):
    image, model = rotated(noise_image(), 0, -30), random_model()
    whole = segment(image, model, probabilities=True)
    monkeypatch.setattr(slice_groups, "GROUP_BYTES", 1)
    single = segment(image, model, probabilities=True)
    for name, probability in whole.probabilities.items():
        np.testing.assert_allclose(voxels(single.probabilities[name]), voxels(probability), atol=1e-5)


def test_no_voxels_are_refused():
    with pytest.raises(ImageError, match="no voxels"):
        segment(sitk.Image([0, 4, 4], sitk.sitkUInt8), random_model())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_not_numbers_are_refused_unless_outside_of_the_region(bad):
    image = noise_image()
    image[0, 0, 0] = bad
    with pytest.raises(ImageError, match="NaN or infinite"):
        segment(image, random_model())
    left, posterior, superior = image.TransformIndexToPhysicalPoint((5, 5, 5))
    region = (-left - 8, -left, -posterior - 8, -posterior, superior, superior + 8)
    assert segment(image, random_model(), region=region).labels.GetSize() == image.GetSize()


def test_an_image_without_contrast_is_refused():
    with pytest.raises(ImageError, match="no contrast: every voxel is 7"):
        segment(sitk.Image([8, 8, 8], sitk.sitkInt16) + 7, random_model())


def test_a_small_bright_object_in_an_empty_field_is_seen():
    image = sitk.Image([40, 40, 40], sitk.sitkInt16)
    image[20:22, 20:22, 20:22] = 900
    assert (voxels(segment(image, threshold_model()).labels) == 2).sum() == 8


def test_colour_images_and_sequences_are_refused():
    with pytest.raises(ImageError, match="colour"):
        segment(sitk.Image([4, 4, 4], sitk.sitkVectorUInt8, 3), random_model())
    with pytest.raises(ImageError, match="frame by frame"):
        segment(sitk.Image([4, 4, 4, 2], sitk.sitkUInt8), random_model())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runs": 0}, "runs"),
        ({"seed": -1}, "seed"),
        ({"threads": 0}, "threads"),
        ({"uncertainty": True}, "at least 2 runs"),
        ({"engine": "gpu"}, "engine"),
        ({"region": (900, 910, 900, 910, 900, 910)}, "outside of the volume"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_the_first_step(options, message):
    with pytest.raises(MedNCAError, match=message):
        next(segment_steps(noise_image(), random_model(), **options))


@pytest.mark.parametrize(
    ("kind", "offset"), [("i2", 0), ("i4", 10**9), ("u4", 3 * 10**9), ("i8", 2**60), ("u8", 2**63), ("f8", 1e9)]
)
def test_number_types_and_offsets_do_not_change_the_result(kind, offset):
    image, truth = case()
    other = sitk.GetImageFromArray((voxels(image).astype(object) + offset).astype(kind))
    other.CopyInformation(image)
    np.testing.assert_array_equal(voxels(segment(other, threshold_model()).labels), voxels(truth))


@pytest.mark.filterwarnings("error")
def test_an_outlier_does_not_change_the_result_elsewhere():
    image, truth = case(size=(19, 18, 17))
    other = sitk.Cast(image, sitk.sitkFloat64)
    other[0, 0, 0] = -1.797e308
    model = replace(threshold_model(), normalisation=Normalisation("volume", (0.5, 99.5)))
    np.testing.assert_array_equal(voxels(segment(other, model).labels), voxels(truth))


@pytest.mark.parametrize("size", [(1, 12, 10), (12, 1, 10), (12, 10, 1), (1, 1, 12), (2, 2, 2)])
@pytest.mark.parametrize("spacing", [0.2, 0.9, 1.0, 3.0])
def test_thin_and_tiny_volumes_give_a_result(size, spacing):
    image = noise_image(size, spacing=(spacing,) * 3)
    labels = segment(image, random_model(), runs=2, uncertainty=True, probabilities=True).labels
    assert labels.GetSize() == image.GetSize()
    assert labels.GetSpacing() == image.GetSpacing()


def test_a_region_of_one_voxel_gives_a_result_or_says_why_not():
    image = noise_image()
    left, posterior, superior = image.TransformIndexToPhysicalPoint((5, 6, 7))
    middle = (-left, -posterior, superior)
    two = [edge for at in middle for edge in (at - 0.6, at + 0.6)]
    assert segment(image, random_model(), region=two).labels.GetSize() == image.GetSize()
    one = [edge for at in middle for edge in (at - 0.2, at + 0.2)]
    with pytest.raises(ImageError, match="no contrast"):
        segment(image, random_model(), region=one)


def test_a_run_that_needs_more_memory_than_there_is_is_refused_before_it_starts(monkeypatch):
    steps = segment_steps(noise_image(), random_model())
    monkeypatch.setattr(segmenter, "machine_bytes", lambda: 100_000)
    with pytest.raises(MedNCAError, match=r"needs about \S+ GB of memory, and there are 0.0001 GB"):
        next(steps)


def test_passes_without_number_are_refused_before_they_start():
    with pytest.raises(MedNCAError, match=r"GB of memory.*fewer runs"):
        segment(noise_image(), random_model(), runs=10**7)


def test_running_out_of_memory_is_one_sentence(monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(ModelInput, "slices", fail)
    with pytest.raises(MedNCAError, match="not enough free memory"):
        segment(noise_image(), random_model())


@pytest.mark.parametrize("given", ["hippocampus-mr", None, 5])
def test_what_is_no_model_is_refused_with_what_was_given(given):
    with pytest.raises(ModelError, match=f"must be what load_model returns, not {given!r}"):
        segment(noise_image(), given)


@pytest.mark.parametrize("given", [np.zeros((3, 4, 5)), "image.nii.gz", None])
def test_what_is_no_image_is_refused_with_what_was_given(given):
    with pytest.raises(ImageError, match=f"not a {type(given).__name__}"):
        segment(given, random_model())


@pytest.mark.parametrize("order", ["RAS", "LIP", "PSL"])
def test_the_volume_of_each_pass_is_known_slice_by_slice_of_the_image(order):
    image = sitk.DICOMOrient(noise_image(spacing=(0.8, 1.2, 2.0)), order)
    model = random_model(axes="RAS", spacing=(1.0, 1.0, None))
    result = segment(image, model, runs=3)
    across = next(axis for axis, letter in enumerate(order) if letter in "SI")
    assert result.pass_slices.shape == (3, 2, image.GetSize()[across])
    spread = result.pass_slices.sum(axis=2).std(axis=0, ddof=1)
    assert spread == pytest.approx([estimate.sd for estimate in result.quality.volumes_ml.values()])
    assert segment(image, model).pass_slices is None
    # Within a region, slices keep their numbers in the image.
    low = sitk.DICOMOrient(image, "RAS").TransformIndexToPhysicalPoint((0, 0, 1))[2] - 0.5
    part = segment(image, model, runs=2, region=(-500, 500, -500, 500, low, low + 1)).pass_slices
    numbers = np.flatnonzero(part.sum(axis=(0, 1)))
    assert list(numbers) == [1 if order != "LIP" else image.GetSize()[across] - 2]


@pytest.mark.parametrize("scope", ["slice", "volume"])
def test_a_slice_without_contrast_holds_nothing_for_a_model_that_scales_each_slice_by_itself(scope):
    image, model = noise_image(), random_model(image_channels=1, axes="PIL", spacing=(None, None, None))
    model = replace(model, normalisation=Normalisation(scope, (0.5, 99.5)))
    array = voxels(image)
    array[:, :, 1] = 7  # a slice along the axis that PIL has last
    changed = sitk.GetImageFromArray(array)
    changed.CopyInformation(image)
    found = voxels(segment(changed, model, runs=2).labels)
    across = found[:, :, 1]
    assert across.any() == (scope == "volume")
    if scope == "slice":
        expected = voxels(segment(image, model, runs=2).labels)
        np.testing.assert_array_equal(np.delete(found, 1, axis=2), np.delete(expected, 1, axis=2))
