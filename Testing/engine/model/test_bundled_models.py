"""The bundled models do what their cards say, on the phantom and on real volumes."""

from functools import partial

import numpy as np
import pytest
import SimpleITK as sitk
from support.images import AXIS_ORDERS, oblique_phantom, rotated
from support.shared_data import shared_data

from MedNCALib import list_models, load_model, make_phantom, read_image, segment, segment_steps
from MedNCALib.evaluation import evaluate
from MedNCALib.evaluation.evaluate import perturbed_scores
from MedNCALib.evaluation.metrics import dice
from MedNCALib.evaluation.perturbations import NAMES, UNPERTURBED, LabelledCase, Stack, shift
from MedNCALib.imaging.phantom import BLOCK_CENTRE_LEFT
from MedNCALib.io.image_label_pairs import find_pairs, read_pair

MODEL = "hippocampus-mr"
DATA = {MODEL: "hippocampus", "prostate-mr-t2": "prostate", "left-ventricle-cine-mr": "left_ventricle"}


def voxels(image):
    return sitk.GetArrayFromImage(image)


def real_case_images(name, model=MODEL):
    folder = shared_data(DATA[model])
    pairs = {pair.name: pair for pair in find_pairs(folder / "images", folder / "labels")}
    return read_pair(pairs[name])


def real_case(name, model=MODEL):
    image, labels = real_case_images(name, model)
    return image, voxels(labels)


def held_out(count, model=MODEL):
    """Some of the cases that the card names as held out, spread over all of them."""
    names = load_model(model).card.scores.cases
    return [names[index] for index in np.linspace(0, len(names) - 1, count).astype(int)]


def test_each_bundled_model_is_small_and_says_what_it_was_measured_on():
    models = list_models()
    assert {model.name for model in models} == set(DATA)
    for model in models:
        assert model.cascade.parameter_count < 150_000
        assert model.size_bytes < 450_000
        assert model.card.limits
        data = model.card.training.data[0]
        assert all((data.name, data.source, data.licence, data.cases))
        assert not data.extra
        assert len(model.card.scores.cases) >= 5
        for label in model.labels:
            assert label.terminology_entry


@pytest.mark.parametrize("name", DATA)
def test_every_stage_of_a_bundled_model_takes_part(name):
    """A stage whose hidden units are all silent would change nothing, and the result might still look plausible."""
    image, _ = real_case(held_out(1, name)[0], name)
    middle = image.GetSize()[2] // 2
    image = image[:, :, max(0, middle - 2) : middle + 2]
    model = load_model(name)
    last, changed = {}, {}
    for step in segment_steps(image, model, all_cells=True):
        if step.stage in last and last[step.stage].shape == step.state.shape:
            changed[step.stage] = np.any(step.state != last[step.stage], axis=-1).mean()
        last[step.stage] = step.state.copy()
    assert list(changed) == list(range(1, len(model.cascade.rules) + 1))
    assert min(changed.values()) > 0.4  # half of the cells fire


def whole_dice(found, truth):
    return dice(truth > 0, voxels(found) > 0)


@pytest.mark.parametrize(("name", "count"), [(MODEL, 5), ("prostate-mr-t2", 3), ("left-ventricle-cine-mr", 12)])
def test_held_out_cases_reach_about_the_dice_of_the_card(name, count):
    """Up to rounding if all of the card's cases are taken; the mean of a few differs as cases differ."""
    model = load_model(name)
    expected = model.card.scores
    scores = []
    for case in held_out(count, name):
        image, truth = real_case(case, name)
        found = voxels(segment(image, model).labels)
        by_label = [dice(truth == label.value, found == label.value) for label in model.labels]
        scores.append([*by_label, dice(truth > 0, found > 0)])
    *labels, whole = np.mean(scores, axis=0)
    spread = np.std(scores, axis=0).max()
    assert whole == pytest.approx(expected.whole, abs=0.01 + spread)
    assert np.mean(labels) == pytest.approx(np.mean(list(expected.labels.values())), abs=0.01 + spread)


@pytest.fixture(scope="module")
def done():
    """A real volume and its result."""
    image, _ = real_case(held_out(1)[0])
    return image, segment(image, load_model(MODEL)).labels


@pytest.mark.parametrize("order", AXIS_ORDERS[::9])  # each order of the axes, each with other directions
def test_a_real_hippocampus_gives_the_same_physical_result_in_other_axis_orders(done, order):
    image, expected = done
    found = segment(sitk.DICOMOrient(image, order), load_model(MODEL)).labels
    own = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(image.GetDirection())
    np.testing.assert_array_equal(voxels(sitk.DICOMOrient(found, own)), voxels(expected))


def test_the_other_side_is_found_as_well():
    model = load_model(MODEL)
    scores = []
    for name in held_out(4):
        image, truth = real_case(name)
        mirrored = sitk.GetImageFromArray(voxels(image)[:, :, ::-1])
        mirrored.CopyInformation(image)
        scores.append([whole_dice(segment(image, model).labels, truth)])
        scores[-1].append(whole_dice(segment(mirrored, model).labels, truth[:, :, ::-1]))
    left, right = np.mean(scores, axis=0)
    assert right > left - 0.02


def test_the_phantom_is_found_on_both_sides_and_at_other_resolutions():
    model = load_model(MODEL)
    for options in ({"side": "left"}, {"side": "right"}, {"size": (25, 70, 50), "spacing": (1.6, 0.8, 0.8)}):
        phantom = make_phantom(seed=3, **options)
        labels = segment(phantom.image, model, protocol="MSD").labels
        assert whole_dice(labels, voxels(phantom.labels)) > 0.8, options


@pytest.mark.parametrize(("axis", "degrees"), [(0, -44), (0, 30), (1, -20), (1, 44), (2, -44), (2, 30)])
def test_the_phantom_is_found_however_it_is_pitched_rolled_or_yawed(axis, degrees):
    image, truth = oblique_phantom(axis, degrees)
    labels = segment(image, load_model(MODEL), protocol="MSD").labels
    assert labels.GetDirection() == image.GetDirection()
    assert labels.GetOrigin() == image.GetOrigin()
    assert whole_dice(labels, voxels(truth)) > 0.8


def test_an_image_that_is_turned_a_little_is_taken_as_it_lies():
    image = make_phantom(seed=3).image
    expected = voxels(segment(image, load_model(MODEL)).labels)
    assert expected.any()
    np.testing.assert_array_equal(voxels(segment(rotated(image, 0, 10), load_model(MODEL)).labels), expected)


def test_a_region_in_an_oblique_volume_finds_the_phantom():
    image, truth = oblique_phantom(0, 30, size=(50, 70, 60))
    right, anterior, superior = BLOCK_CENTRE_LEFT
    region = (right - 18, right + 18, anterior - 25, anterior + 25, superior - 18, superior + 18)
    labels = segment(image, load_model(MODEL), region=region, protocol="MSD").labels
    assert whole_dice(labels, voxels(truth)) > 0.8


def test_a_region_in_a_larger_volume_finds_what_the_block_alone_shows():
    model = load_model(MODEL)
    phantom = make_phantom(size=(90, 110, 90), seed=2)
    truth = voxels(phantom.labels)
    places = np.argwhere(truth > 0)
    low, high = places.min(axis=0) - 6, places.max(axis=0) + 6
    corners = [phantom.image.TransformIndexToPhysicalPoint([int(i) for i in index[::-1]]) for index in (low, high)]
    ras = np.array(corners) * (-1, -1, 1)
    region = np.sort(ras, axis=0).T.ravel()
    found = segment(phantom.image, model, region=region).labels
    assert whole_dice(found, truth) > 0.75


def test_the_card_says_how_robust_the_model_is_and_how_well_its_scores_find_bad_results(monkeypatch):
    card = load_model(MODEL).card
    assert list(card.robustness) == [name for name in NAMES if name != UNPERTURBED]
    assert card.robustness["axis order"] == 0
    cases = [LabelledCase(name, *real_case_images(name)) for name in held_out(2)]
    names = ("noise 0.2", "mirrored")
    monkeypatch.setattr(evaluate, "trials", partial(evaluate.trials, names=(UNPERTURBED, *names)))
    found = perturbed_scores(load_model(MODEL), cases)
    for name in names:
        assert found[name].dice_drop == pytest.approx(card.robustness[name], abs=0.04), name
    spearman = [load_model(name).card.thresholds.spearman for name in DATA]
    assert min(each["agreement"] for each in spearman) >= 0.6
    assert max(each["nqm"] for each in spearman) <= -0.6


@pytest.mark.parametrize("name", ["hippocampus_236", "hippocampus_244"])
def test_the_hippocampus_is_found_if_the_block_cuts_a_part_of_it_off(name):
    stack = Stack.of(*real_case_images(name), load_model(MODEL).slice_format.axes)
    image, truth = shift(stack, np.random.default_rng(0), rows=10).images()
    assert 0.6 < (voxels(truth) > 0).sum() / (stack.labels > 0).sum() < 0.9
    assert whole_dice(segment(image, load_model(MODEL)).labels, voxels(truth)) > 0.75


def test_on_real_volumes_several_runs_agree_and_pass():
    model = load_model(MODEL)
    thresholds = model.card.thresholds
    image, _ = real_case(held_out(5)[2])
    quality = segment(image, model, runs=thresholds.runs).quality
    assert quality.agreement > 0.85
    assert quality.nqm < 0.5
    noise = sitk.GetImageFromArray(np.random.default_rng(0).random((36, 50, 36), np.float32))
    assert segment(noise, model, runs=thresholds.runs).quality.verdict == "review"


def test_a_prostate_is_found_in_a_dicom_series_of_another_scanner():
    image = read_image(shared_data("inputs") / "ProstateX-0000_t2_tra_dicom")
    result = segment(image, load_model("prostate-mr-t2"))
    volume = result.quality.volumes_ml["prostate"].mean
    assert 15 < volume < 200  # a gland; 20 to 25 mL is a small one's volume
    centre = np.argwhere(voxels(result.labels)).mean(axis=0) / np.array(voxels(image).shape)
    assert np.abs(centre[1:] - 0.5).max() < 0.2


def test_a_ventricle_is_found_in_a_stack_of_slices_stored_in_any_order():
    """Slices that are thicker than their pixels stay the model's slices, however the volume is stored."""
    name = "left-ventricle-cine-mr"
    slices = [real_case_images(case, name)[0] for case in held_out(3, name)]
    stack = sitk.GetImageFromArray(np.concatenate([voxels(image) for image in slices]))
    stack.SetSpacing((1.3, 1.3, 8.0))
    expected = segment(stack, load_model(name)).labels
    assert (voxels(expected) > 0).any(axis=(1, 2)).sum() >= 2
    found = segment(sitk.DICOMOrient(stack, "ASR"), load_model(name)).labels
    np.testing.assert_array_equal(voxels(sitk.DICOMOrient(found, "LPS")), voxels(expected))
