"""Training cases: how they are split, brought to the model's grid, and drawn."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.images import oblique_phantom

from MedNCALib.errors import TrainingError
from MedNCALib.evaluation.metrics import dice
from MedNCALib.imaging.normalisation import Normalisation
from MedNCALib.imaging.oblique_slice_space import slice_space
from MedNCALib.imaging.slice_format import SliceFormat
from MedNCALib.imaging.slice_space import SliceSpace
from MedNCALib.io.image_label_pairs import Pair

pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training.dataset import Case, Sampler, make_case, split


def test_validation_takes_whole_blocks_of_neighbouring_names():
    pairs = [Pair(f"{number:03}", None, None) for number in range(180)]
    training, validation = split(pairs)
    numbers = [int(pair.name) for pair in validation]
    assert len(numbers) == 30
    assert sum(b - a > 1 for a, b in zip(numbers, numbers[1:])) == 2  # three blocks
    assert {pair.name for pair in training}.isdisjoint(pair.name for pair in validation)
    assert len(training) + len(validation) == 180
    for count in (2, 3, 5, 20):
        assert all(split(pairs[:count]))
    assert split(pairs[:1]) == (pairs[:1], [])  # slices of it choose the weights


def test_cases_of_one_subject_are_never_on_both_sides():
    pairs = [Pair(f"HF-{subject:02}-slice-{number}", None, None) for subject in range(30) for number in range(7)]
    training, validation = split(pairs, subject="HF-[0-9]+")
    subjects = [{pair.name[:5] for pair in part} for part in (training, validation)]
    assert subjects[0].isdisjoint(subjects[1])
    assert sorted(subjects[1]) == ["HF-03", "HF-09", "HF-15", "HF-21", "HF-27"]  # from all over
    assert len(validation) == 35
    with pytest.raises(TrainingError, match="case_1"):
        split([*pairs, Pair("case_1", None, None)], subject="HF-[0-9]+")


def test_what_is_left_out_is_on_neither_side():
    pairs = [Pair(f"{number:03}", None, None) for number in range(36)]
    training, validation = split(pairs, leave_out="^00[67]$")
    assert {pair.name for pair in pairs} - {pair.name for pair in (*training, *validation)} == {"006", "007"}
    with pytest.raises(TrainingError, match="two subjects"):
        split(pairs, leave_out="0")


def test_cases_with_little_labelled_are_drawn_more_often():
    targets = [np.zeros((1, 1, 8, 8), np.uint8) for _ in range(2)]
    targets[0][..., :1, :4] = 255
    targets[1][..., :8, :8] = 255  # sixteen times as much
    cases = [Case("", np.full((1, 8, 8), number, np.float32), t, np.array([0])) for number, t in enumerate(targets)]
    for area_exponent, share in ((0, 1 / 2), (0.5, 1 / 5), (1, 1 / 17)):
        sampler = Sampler(cases, 1, 2000, 1.0, area_exponent)
        images = sampler.draw_batch(0, np.random.default_rng(0)).image
        assert images[:, 0, 0, 0].mean().item() == pytest.approx(share, abs=0.04)


def test_a_border_within_coarse_cells_stays_where_it_is():
    rows, columns = np.mgrid[:64, :64]
    truth = np.hypot(rows - 30.6, columns - 33.2) < 9
    labels = sitk.GetImageFromArray(truth[None].astype(np.uint8))
    coarse = SliceFormat(axes="LPS", spacing=(2.0, 2.0, None))
    case = make_case("", sitk.Cast(labels, sitk.sitkFloat32), labels, [1], coarse, Normalisation("volume", (0, 100)))
    assert case.target.shape == (1, 1, 32, 32)
    assert list(case.foreground) == [0]
    space = SliceSpace(labels, coarse)

    def back(shares):
        return space.writer(1).add(np.moveaxis(shares, 1, -1).astype(np.float32))[1][0, ..., 0] > 0.5

    lost = 1 - dice(truth, back(case.target / 255))
    assert lost < 0.02
    assert lost < 0.5 * (1 - dice(truth, back(case.target > 127)))


def test_an_oblique_case_is_trained_on_upright_as_it_is_segmented():
    image, labels = oblique_phantom(0, 30)
    millimetres = SliceFormat("PIL", (1.0, 1.0, 1.0))
    case = make_case("", image, labels, [1, 2], millimetres, Normalisation("volume", (0.5, 99.5)))
    space = slice_space(image, millimetres)
    assert len(case.slices) == space.count
    shares = np.moveaxis(case.target.astype(np.float32) / 255, 1, -1)
    ready, values = space.writer(2).add(shares)
    back, view = space.empty_image(np.uint8)
    view[ready] = np.where(values.sum(axis=-1) > 0.5, values.argmax(axis=-1) + 1, 0)
    assert dice(sitk.GetArrayViewFromImage(labels) > 0, back > 0) > 0.95
    assert shares.sum() == pytest.approx((sitk.GetArrayViewFromImage(labels) > 0).sum(), rel=0.05)
