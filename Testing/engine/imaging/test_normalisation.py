"""Intensities become comparable: between scanners, and if asked for, between the places of one slice."""

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from support.random_models import random_model

from MedNCALib import load_model
from MedNCALib.errors import MedNCAError
from MedNCALib.imaging.normalisation import Normalisation
from MedNCALib.imaging.phantom import make_phantom
from MedNCALib.segmentation.growth_animation import write_picture

EVEN = Normalisation("slice", (0.5, 99.5), contrast_window_sd=12)
UNEVEN = Normalisation("slice", (0.5, 99.5))


@pytest.fixture(scope="module")
def slices():
    phantom = make_phantom(seed=3, noise=0.02, bias=0.0)
    array = sitk.GetArrayFromImage(phantom.image).astype(np.float32)
    return array[len(array) // 2 - 1 : len(array) // 2 + 2] - array.min()


def test_a_coil_far_away_changes_an_evened_slice_little(slices):
    across = np.linspace(-1, 1, slices.shape[2], dtype=np.float32)
    dimmed = slices * 3**across  # nine times darker on one side
    changes = {each: np.abs(each.apply(dimmed, None) - each.apply(slices, None)).mean() for each in (EVEN, UNEVEN)}
    assert changes[EVEN] < changes[UNEVEN] / 2


def test_something_very_bright_far_away_does_not_take_the_contrast(slices):
    with_fat = slices.copy()
    with_fat[:, :4, :4] = 20 * slices.max()
    middle = np.s_[:, 14:, 14:]
    contrast = {
        each: each.apply(with_fat, None)[middle].std() / each.apply(slices, None)[middle].std()
        for each in (EVEN, UNEVEN)
    }
    assert contrast[UNEVEN] < 0.1
    assert contrast[EVEN] > 3 * contrast[UNEVEN]


def test_evened_intensities_are_0_to_1_and_a_flat_slice_stays_flat(slices):
    evened = EVEN.apply(slices, None)
    assert evened.dtype == np.float32
    assert evened.min() >= 0
    assert evened.max() <= 1
    flat = EVEN.apply(np.full((2, 20, 30), 7, np.float32), None)
    np.testing.assert_allclose(flat, flat[0, 0, 0], atol=1e-5)


def test_an_evened_pixel_is_its_distance_from_the_mean_in_deviations_of_the_gaussian_window():
    line = np.random.default_rng(0).random(40).astype(np.float32)
    plane = np.tile(line, (30, 1))  # rows alike: the window along them changes nothing
    weights = np.exp(-0.5 * ((np.arange(40) - 17) / 5) ** 2)
    mean = np.average(line, weights=weights)
    deviation = np.average((line - mean) ** 2, weights=weights) ** 0.5
    expected = ((line[17] - mean) / (deviation + 0.03) + 1.5) / 4.5
    evened = Normalisation("slice", (0, 100), contrast_window_sd=5).normalise_local_contrast(plane, np.asarray)
    np.testing.assert_allclose(evened[:, 17], expected, rtol=1e-4)


def test_training_evens_out_as_the_engine_does(slices):
    torch = pytest.importorskip("torch", reason="training needs torch")
    scaled = UNEVEN.apply(slices, None)
    trained = EVEN.normalise_local_contrast(torch.from_numpy(scaled)[None], torch.from_numpy)
    np.testing.assert_allclose(trained[0].numpy(), EVEN.apply(slices, None), atol=1e-5)


def test_a_card_keeps_the_window_under_its_old_key_too_and_one_without_it_has_none(tmp_path):
    replace(random_model(), normalisation=EVEN).save(tmp_path)
    assert load_model(tmp_path).normalisation == EVEN
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    settings = card["preprocessing"]["normalisation"]
    settings["window"] = settings.pop("contrast_window_sd")
    (tmp_path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    assert load_model(tmp_path).normalisation == EVEN
    del settings["window"]
    (tmp_path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    assert load_model(tmp_path).normalisation == UNEVEN


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": 0}, "must be a positive number of pixels"),
        ({"contrast_window_sd": "wide"}, "must be a number"),
        ({"percentiles": [99, 1]}, "must rise"),
        ({"percentiles": 50}, "must be a list of 2"),
        ({"scope": "scanner"}, "must be one of volume, slice"),
        ({"gamma": 2}, "not known: gamma"),
    ],
)
def test_settings_that_describe_no_scaling_are_refused(tmp_path, change, message):
    random_model().save(tmp_path)
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    settings = {"scope": "slice", "percentiles": [0.5, 99.5], **change}
    card["preprocessing"]["normalisation"] = settings
    (tmp_path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(MedNCAError, match=message):
        load_model(tmp_path)


def test_a_picture_shows_the_image_as_it_is_and_not_evened(tmp_path):
    pytest.importorskip("PIL", reason="pictures need Pillow")
    phantom = make_phantom()
    for window in (None, 4):
        model = replace(random_model(), normalisation=Normalisation("volume", (0.5, 99.5), window))
        write_picture(tmp_path / f"{window}.png", phantom.image, phantom.labels, model)
    assert (tmp_path / "None.png").read_bytes() == (tmp_path / "4.png").read_bytes()
