"""An image that does not fit a model is noticed, one that does passes."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from support.images import image_of
from support.shared_data import shared_data
from support.threshold_model import threshold_model

from MedNCALib.errors import ImageError
from MedNCALib.imaging.phantom import make_phantom
from MedNCALib.imaging.slice_format import SliceFormat
from MedNCALib.io.images import read_image
from MedNCALib.model.model import load_model
from MedNCALib.segmentation.input_checks import (
    BODY_PART,
    ECHO_TIME,
    MODALITY,
    check_input,
    fitting_models,
    is_much_larger,
)

BUNDLED = ("hippocampus-mr", "prostate-mr-t2", "left-ventricle-cine-mr")
T1_HEAD = {"modality": "MR, T1-weighted", "anatomy": "Hippocampus"}
T2_PELVIS = {"modality": "MR, T2-weighted", "anatomy": "Prostate"}
SHORT_AXIS = {"modality": "MR, cine, short axis", "anatomy": "Left ventricle of the heart"}
FIELD_OF_VIEW = {"field_of_view_mm": [20, 20, 20]}


def tissue(low, high, size=(20, 20, 20), **geometry):
    """Intensities that are equally frequent from `low` to `high`; a hundredth of the voxels are 0 and 1."""
    values = np.random.default_rng(0).uniform(low, high, size[::-1])
    values.flat[::100], values.flat[50::100] = 0, 1
    return image_of(1000 * values, **geometry)


def tagged(**attributes):
    """A bright image with DICOM attributes."""
    image = tissue(0.3, 1)
    for key, value in attributes.items():
        image.SetMetaData({"modality": MODALITY, "part": BODY_PART, "echo": ECHO_TIME}[key], value)
    return image


def test_image_that_fits_passes():
    assert check_input(tissue(0.3, 1), threshold_model(**T1_HEAD, **FIELD_OF_VIEW)) == []


def test_model_whose_card_says_nothing_known_takes_any_image():
    assert check_input(tagged(modality="CT", part="KNEE", echo="100"), threshold_model()) == []


@pytest.mark.parametrize(
    ("card", "attributes", "said"),
    [
        (T1_HEAD, {"modality": "CT"}, "modality is CT"),
        (T1_HEAD, {"modality": "MR "}, None),
        (T1_HEAD, {"modality": "SEG"}, None),
        (T1_HEAD, {"echo": "104 "}, "echo time is 104 ms"),
        (T1_HEAD, {"echo": "3.5"}, None),
        (T1_HEAD, {"echo": "0"}, None),
        (T1_HEAD, {"echo": ""}, None),
        ({**T1_HEAD, "modality": "MR, T2*-weighted"}, {"echo": "20"}, None),
        ({**T1_HEAD, "modality": "MR, T2-weighted"}, {"echo": "20"}, "echo time is 20 ms"),
        ({**T1_HEAD, "modality": "MR, T1- or T2-weighted"}, {"echo": "104"}, None),
        (T1_HEAD, {"part": "PROSTATE"}, "shows PROSTATE"),
        (T1_HEAD, {"part": "HEADNECK"}, None),
        (T1_HEAD, {"part": "NECK"}, None),
        (T1_HEAD, {"part": "WHOLEBODY"}, None),
        ({**T1_HEAD, "anatomy": "Liver"}, {"part": "PELVIS"}, None),
        ({**T1_HEAD, "anatomy": "Liver"}, {"part": "brain"}, "shows BRAIN"),
    ],
)
def test_dicom_attributes_of_another_series_are_noticed(card, attributes, said):
    reasons = check_input(tagged(**attributes), threshold_model(**card))
    assert len(reasons) == (said is not None)
    assert said is None or said in reasons[0]


def test_sentence_names_what_is_found_and_what_is_expected_and_what_to_do():
    (reason,) = check_input(tagged(modality="CT"), threshold_model("mine", **T1_HEAD, **FIELD_OF_VIEW))
    assert reason == (
        "The file says that its modality is CT; mine is for MR, T1-weighted (Hippocampus, 20 x 20 x 20 mm). Choose "
        "another model or another volume."
    )


def test_volume_that_is_much_larger_needs_a_region():
    image, model = tissue(0.3, 1, size=(40, 40, 40)), threshold_model(**T1_HEAD, **FIELD_OF_VIEW)
    (reason,) = check_input(image, model)
    assert "much larger than the 20 x 20 x 20 mm" in reason
    assert "limit the run to a region" in reason
    centre = image.TransformContinuousIndexToPhysicalPoint((20, 20, 20))
    right, anterior, superior = -centre[0], -centre[1], centre[2]
    region = (right - 10, right + 10, anterior - 10, anterior + 10, superior - 10, superior + 10)
    assert check_input(image, model, region) == []


def test_much_larger_is_more_than_four_times_the_volume():
    assert not is_much_larger((40, 40, 20), (20, 20, 20))
    assert is_much_larger((40, 41, 20), (20, 20, 20))


@pytest.mark.parametrize(("size", "shown"), [((9, 9, 9), "9 x 9 x 9 mm"), ((60, 60, 4), "60 x 60 x 4 mm")])
def test_volume_that_shows_too_little_is_noticed(size, shown):
    (reason,) = check_input(tissue(0.3, 1, size), threshold_model(**T1_HEAD, **FIELD_OF_VIEW))
    assert f"shows only {shown}" in reason


def test_thin_axis_is_found_whatever_the_order_of_the_axes():
    direction = [[0, 0, 1], [1, 0, 0], [0, 1, 0]]  # the third index runs along left
    model = threshold_model(**T1_HEAD, field_of_view_mm=[4, 60, 60])
    assert check_input(tissue(0.3, 1, (60, 60, 4), direction=direction), model) == []
    (reason,) = check_input(tissue(0.3, 1, (60, 60, 4)), model)
    assert "shows only 60 x 60 x 4 mm" in reason


@pytest.mark.parametrize(("millimetres", "count"), [(2.0, 0), (2.2, 1)])
def test_voxels_of_more_than_twice_the_models_length_are_noticed(millimetres, count):
    model = replace(threshold_model(**T1_HEAD), slice_format=SliceFormat(axes="PIL", spacing=(1.0, None, 1.0)))
    along_rows = tissue(0.3, 1, spacing=(1.0, 1.0, 9.0))  # any length will do along inferior
    assert check_input(along_rows, model) == []
    reasons = check_input(tissue(0.3, 1, spacing=(1.0, millimetres, 1.0)), model)
    assert ["2.2 mm long, more than twice the model's 1 mm" in reason for reason in reasons] == [True] * count


def test_short_axis_slices_are_thick_unless_there_is_one():
    model = threshold_model(**SHORT_AXIS)
    dark = (0.1, 0.4)
    assert check_input(tissue(*dark, spacing=(1.3, 1.3, 8.0)), model) == []
    assert check_input(tissue(*dark, size=(40, 40, 1)), model) == []
    (reason,) = check_input(tissue(*dark, spacing=(0.6, 0.6, 3.0)), model)
    assert "slices are only 3 mm apart" in reason


@pytest.mark.parametrize(
    ("card", "image", "said"),
    [
        (T1_HEAD, tissue(0.05, 0.3), "nearly black"),
        (T2_PELVIS, tissue(0.3, 1), "Hardly any of the tissue is dark"),
        (T2_PELVIS, tissue(0.05, 0.5), None),
        ({**T1_HEAD, "anatomy": "Liver"}, tissue(0.05, 0.3), None),
        (T1_HEAD, tissue(0.45, 0.5), "those of CT"),
        (T1_HEAD, tissue(0.3, 1) * 3.5 - 1024, "those of CT"),
        (T1_HEAD, tissue(0.3, 1) * 3000 - 1024, None),
        ({**T1_HEAD, "modality": "CT"}, tissue(0.45, 0.5), None),
    ],
)
def test_intensities_of_other_images_are_noticed(card, image, said):
    reasons = check_input(image, threshold_model(**card))
    assert len(reasons) == (said is not None)
    assert said is None or said in reasons[0]


def test_dark_tissue_does_not_count_in_a_volume_with_much_air_around():
    model = threshold_model(**T1_HEAD, **FIELD_OF_VIEW)
    (reason,) = check_input(tissue(0.05, 0.3, size=(40, 40, 40)), model)
    assert "limit the run" in reason


@pytest.mark.parametrize("values", [np.zeros((9, 9, 9)), np.full((9, 9, 9), np.nan), np.full((9, 9, 9), 1e308)])
def test_image_without_contrast_is_left_to_the_run(values):
    values.flat[::2] *= -1
    assert check_input(image_of(values), threshold_model(**T1_HEAD)) == []


def test_image_and_region_that_cannot_be_used_are_refused():
    with pytest.raises(ImageError, match="grey-value"):
        check_input(sitk.Image([4, 4, 4], sitk.sitkVectorUInt8, 3), threshold_model())
    with pytest.raises(ImageError, match="outside"):
        check_input(tissue(0, 1), threshold_model(), (500, 510, 500, 510, 500, 510))


def test_models_that_fit_are_those_that_at_most_need_a_region():
    head, pelvis = threshold_model("head", **T1_HEAD, **FIELD_OF_VIEW), threshold_model("pelvis", **T2_PELVIS)
    assert fitting_models(tissue(0.3, 1, size=(40, 40, 40)), [head, pelvis]) == [head]
    assert fitting_models(tagged(modality="CT"), [head, pelvis]) == []


def test_phantom_fits_the_bundled_hippocampus_model():
    assert check_input(make_phantom().image, load_model("hippocampus-mr")) == []


@pytest.mark.parametrize(
    ("folder", "suited"),
    [
        ("hippocampus", "hippocampus-mr"),
        ("head", "hippocampus-mr"),
        ("prostate", "prostate-mr-t2"),
        ("left_ventricle", "left-ventricle-cine-mr"),
    ],
)
def test_real_images_fit_their_model_and_no_other(folder, suited):
    models = [load_model(name) for name in BUNDLED]
    for path in sorted(shared_data(folder, "images").iterdir())[::15]:
        assert [model.name for model in fitting_models(read_image(path), models)] == [suited], path.name


@pytest.mark.parametrize(
    ("name", "suited"),
    [
        ("CTHeadAxialDicom", []),
        ("ProstateX-0000_t2_tra_dicom", ["prostate-mr-t2"]),
        ("abdomen_mr_LPS_3mm.nii.gz", []),
        ("spine_t2_PSR.nii.gz", []),
    ],
)
def test_other_real_images_fit_none_but_their_own_model(name, suited):
    image = read_image(shared_data("inputs", name))
    assert [model.name for model in fitting_models(image, [load_model(name) for name in BUNDLED])] == suited
