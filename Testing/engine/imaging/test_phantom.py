"""The phantom: one anatomy in physical space, however it is sampled and stored."""

import itertools

import numpy as np
import pytest
import SimpleITK as sitk

from MedNCALib.errors import MedNCAError
from MedNCALib.imaging.phantom import ANTERIOR, POSTERIOR, make_phantom

# Millilitres of the anterior and posterior part in 182 healthy adults and patients (MSD Task04).
ANTERIOR_ML = (1.05, 2.59)
POSTERIOR_ML = (1.06, 2.17)

ORDERS = [
    "".join(letters) for axes in itertools.permutations(("RL", "AP", "SI")) for letters in itertools.product(*axes)
]


def array(image):
    return sitk.GetArrayFromImage(image)


def volume_ml(phantom, label):
    return np.count_nonzero(array(phantom.labels) == label) * np.prod(phantom.labels.GetSpacing()) / 1000


def test_the_same_seed_makes_the_same_phantom():
    first, second = make_phantom(seed=5, bias=0.3), make_phantom(seed=5, bias=0.3)
    assert np.array_equal(array(first.image), array(second.image))
    assert np.array_equal(array(first.labels), array(second.labels))


def test_another_seed_makes_another_anatomy():
    assert not np.array_equal(array(make_phantom(seed=1).labels), array(make_phantom(seed=2).labels))


def test_image_and_labels_share_one_grid_of_the_size_asked_for():
    phantom = make_phantom(size=(20, 30, 25), spacing=(1.5, 1.0, 2.0), axes="SPL")
    assert phantom.image.GetSize() == phantom.labels.GetSize() == (25, 30, 20)
    assert phantom.image.GetSpacing() == phantom.labels.GetSpacing() == (2.0, 1.0, 1.5)
    assert phantom.image.GetOrigin() == phantom.labels.GetOrigin()
    assert phantom.image.GetDirection() == phantom.labels.GetDirection()
    assert phantom.image.GetPixelID() == sitk.sitkFloat32
    assert phantom.labels.GetPixelID() == sitk.sitkUInt8


@pytest.mark.parametrize("axes", ORDERS)
def test_every_axis_order_holds_the_same_physical_content(axes):
    options = {"size": (18, 26, 16), "spacing": (2.0, 1.5, 2.5), "bias": 0.4, "noise": 0.05, "seed": 3}
    canonical, stored = make_phantom(axes="RAS", **options), make_phantom(axes=axes, **options)
    for expected, got in zip((canonical.image, canonical.labels), (stored.image, stored.labels)):
        # SimpleITK names an orientation by where the index increases towards, as `axes` does.
        assert sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(got.GetDirection()) == axes
        back = sitk.DICOMOrient(got, "RAS")
        assert np.array_equal(array(back), array(expected))
        assert np.allclose(back.GetOrigin(), expected.GetOrigin())
        assert np.allclose(back.GetDirection(), expected.GetDirection())


def test_there_are_48_axis_orders():
    assert len(set(ORDERS)) == 48


def test_the_first_letter_is_where_the_first_index_increases_towards():
    image = make_phantom(axes="RAS").image
    start, step = (np.array(image.TransformIndexToPhysicalPoint(index)) for index in ((0, 0, 0), (1, 0, 0)))
    # Physical points are LPS: a step to the right is a step to -x.
    assert np.allclose(step - start, (-1, 0, 0))


def test_the_right_side_mirrors_the_left():
    left, right = make_phantom(side="left", noise=0), make_phantom(side="right", noise=0)
    assert np.array_equal(array(left.labels), array(right.labels)[:, :, ::-1])
    assert np.allclose(array(left.image), array(right.image)[:, :, ::-1], rtol=1e-4)


@pytest.mark.parametrize("seed", range(25))
def test_volumes_are_those_of_real_hippocampi(seed):
    phantom = make_phantom(seed=seed)
    assert ANTERIOR_ML[0] <= volume_ml(phantom, ANTERIOR) <= ANTERIOR_ML[1]
    assert POSTERIOR_ML[0] <= volume_ml(phantom, POSTERIOR) <= POSTERIOR_ML[1]


@pytest.mark.parametrize("seed", range(25))
def test_the_default_block_holds_the_whole_hippocampus(seed):
    inside = array(make_phantom(seed=seed).labels) > 0
    for axis in range(3):
        for end in (0, -1):
            assert not np.take(inside, end, axis).any()


@pytest.mark.parametrize(
    ("size", "spacing"),
    [((80, 112, 80), (0.5, 0.5, 0.5)), ((50, 70, 14), (0.8, 0.8, 3.0)), ((20, 28, 20), (2.0, 2.0, 2.0))],
)
def test_spacing_changes_the_grid_but_not_the_anatomy(size, spacing):
    fine, other = make_phantom(seed=4), make_phantom(size=size, spacing=spacing, seed=4)
    for label in (ANTERIOR, POSTERIOR):
        assert volume_ml(other, label) == pytest.approx(volume_ml(fine, label), rel=0.08)
    same_grid = array(sitk.Resample(other.labels, fine.labels, sitk.Transform(), sitk.sitkNearestNeighbor)) > 0
    truth = array(fine.labels) > 0
    assert 2 * (same_grid & truth).sum() / (same_grid.sum() + truth.sum()) > 0.80


def test_a_larger_block_shows_more_of_the_same_anatomy():
    small, large = make_phantom(seed=6, noise=0), make_phantom(size=(60, 76, 60), seed=6, noise=0)
    assert np.allclose(array(large.image)[10:-10, 10:-10, 10:-10], array(small.image), rtol=1e-4)


def test_one_voxel_and_one_slice_are_blocks_too():
    assert make_phantom(size=(1, 1, 1), bias=0.5).image.GetSize() == (1, 1, 1)
    assert make_phantom(size=(64, 64, 1), bias=0.5).image.GetSize() == (64, 64, 1)


def test_anterior_lies_anterior_of_posterior():
    _, y, _ = np.nonzero(array(make_phantom().labels) == ANTERIOR)
    _, y2, _ = np.nonzero(array(make_phantom().labels) == POSTERIOR)
    assert y.min() > y2.max()


def test_grey_matter_is_darker_than_white_and_brighter_than_fluid():
    phantom = make_phantom(noise=0)
    image, inside = array(phantom.image), array(phantom.labels) > 0
    white, fluid = np.percentile(image, [90, 1])
    assert 2 * fluid < image[inside].mean() < 0.7 * white


def test_noise_has_the_standard_deviation_asked_for():
    clean, noisy = (array(make_phantom(noise=sigma).image).astype(float) for sigma in (0, 0.05))
    white = np.median(clean[clean > np.percentile(clean, 70)])
    bright = clean > 0.4 * white
    assert (noisy - clean)[bright].std() / white == pytest.approx(0.05, rel=0.05)
    assert abs((noisy - clean)[bright].mean()) / white < 0.001
    assert noisy.min() >= 0


def test_bias_is_a_smooth_field_of_the_amplitude_asked_for():
    plain, biased = (array(make_phantom(noise=0, bias=amplitude).image) for amplitude in (0, 0.5))
    field = biased / plain
    assert np.abs(field - 1).max() == pytest.approx(0.5, abs=0.001)
    assert max(np.abs(np.diff(field, axis=axis)).max() for axis in range(3)) < 0.05


def test_bias_and_noise_leave_the_truth_alone():
    assert np.array_equal(array(make_phantom().labels), array(make_phantom(bias=0.5, noise=0.2).labels))


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (10, 10)},
        {"size": (10, 0, 10)},
        {"spacing": (1, 1, 0)},
        {"spacing": (1, float("nan"), 1)},
        {"axes": "RAR"},
        {"axes": "XYZ"},
        {"axes": "RA"},
        {"side": "middle"},
        {"bias": 1.0},
        {"noise": -0.1},
        {"size": "large"},
        {"size": 40},
        {"size": (10.5, 10, 10)},
        {"spacing": 1.0},
        {"spacing": "fine"},
        {"spacing": (1, 1, 1, 1)},
        {"axes": None},
        {"axes": ["R", "A", "S"]},
        {"side": 1},
        {"bias": "strong"},
        {"noise": None},
        {"seed": -1},
        {"seed": 0.5},
    ],
)
def test_arguments_out_of_range_or_of_another_type_are_refused_with_what_was_given(wrong):
    with pytest.raises(MedNCAError, match=f"{next(iter(wrong))} must .*, not ") as caught:
        make_phantom(**wrong)
    assert isinstance(caught.value, ValueError)
