"""Settings that follow from the cases, and the sentences that say why."""

import json
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from MedNCALib import load_model
from MedNCALib.errors import TrainingError
from MedNCALib.evaluation.perturbations import LabelledCase
from MedNCALib.imaging.labels import Label
from MedNCALib.training.proposal import propose_preset, spread_over

SIDED = (Label(1, "left kidney"), Label(2, "right kidney"))


def case(size, spacing, box, value=1, dark=0.0, direction=None):
    """A noisy image with a bright labelled box; sizes and boxes are in the image's order (x, y, z)."""
    labels = np.zeros(size[::-1], np.uint8)
    labels[tuple(slice(low, high) for low, high in reversed(box))] = value
    voxels = np.random.default_rng(0).normal(0.3, 0.05, labels.shape) + labels + dark
    images = [sitk.GetImageFromArray(each) for each in (voxels.astype(np.float32), labels)]
    for image in images:
        image.SetSpacing(spacing)
        if direction is not None:
            image.SetDirection(direction)
    return LabelledCase("case", *images)


def centred(size, width):
    return [((length - width) // 2, (length + width) // 2) for length in size]


@pytest.mark.parametrize(("thick", "axes"), [(2, "LPS"), (1, "LIP"), (0, "PIL")])
def test_slices_lie_across_the_thickest_voxels(thick, axes):
    size, spacing = [64, 64, 64], [1.0, 1.0, 1.0]
    size[thick], spacing[thick] = 16, 3.0
    proposal = propose_preset([case(size, spacing, centred(size, 8))])
    assert proposal.settings["preprocessing"]["axes"] == axes
    assert proposal.settings["preprocessing"]["spacing"] == [1.0, 1.0, None]
    assert proposal.settings["architecture"]["image_channels"] == 3
    assert "3 mm apart" in proposal.sentences[0]


def test_near_isotropic_voxels_are_seen_with_more_neighbours_on_one_grid():
    size = (60, 60, 50)
    proposal = propose_preset([case(size, (1.0, 1.0, 1.2), centred(size, 20))])
    assert proposal.settings["architecture"]["image_channels"] == 5
    assert proposal.settings["preprocessing"]["spacing"] == [1.0, 1.0, 1.2]
    assert "near isotropic" in proposal.sentences[0]


def test_the_coarsest_grid_follows_the_slices_and_shows_the_structure():
    largest, large, medium, small, tiny = (
        propose_preset([case(size, (1.0, 1.0, 1.0), centred(size, width))]).settings["architecture"]["stages"][0]
        for size, width in (
            ((256, 256, 40), 80),
            ((120, 120, 40), 28),
            ((120, 120, 40), 27),
            ((40, 40, 40), 20),
            ((120, 120, 40), 4),
        )
    )
    assert [stage["scale"] for stage in (largest, large, medium, small, tiny)] == [8, 8, 4, 4, 4]
    assert [stage["steps"] for stage in (largest, large, medium, small, tiny)] == [20, 12, 20, 8, 20]


def test_coarse_stages_are_trained_first_and_windows_of_the_finest_follow_the_structure():
    size = (120, 120, 40)
    large, small, flat = (
        propose_preset([case(each, (1.0, 1.0, 1.0), centred(each, width))])
        for each, width in ((size, 40), (size, 20), ((16, 16, 16), 8))
    )
    assert large.settings["crops"] == [None, None, [64, 64], [48, 48]]
    assert small.settings["crops"] == [None, [64, 64], [32, 32]]
    assert small.settings["stage_starts"] == [0, 0.175, 0.35]
    assert "which is trained first" in small.sentences[1]
    assert flat.settings["crops"] == [None]
    assert "stage_starts" not in flat.settings


@pytest.mark.parametrize("name", ["hippocampus-mr", "prostate-mr-t2"])
def test_a_training_that_goes_on_from_a_model_keeps_its_grid_and_is_trained_on_windows(name):
    model, size = load_model(name), (60, 60, 20)
    settings = propose_preset([case(size, (1.0, 1.0, 3.0), centred(size, 20))], start=model).settings
    assert tuple(settings["preprocessing"]["spacing"]) == model.slice_format.spacing
    assert settings["crops"][-2:] == [[64, 64], [48, 48]]
    assert settings["crops"][:-2] == [None] * (len(settings["architecture"]["stages"]) - 2)
    assert "kept_aside_until" not in settings


def test_what_is_kept_aside_of_few_cases_teaches_later():
    size = (60, 60, 20)
    few, more = ([case(size, (1.0, 1.0, 1.0), centred(size, 20))] * count for count in (6, 7))
    proposal = propose_preset(few)
    assert proposal.settings["kept_aside_until"] == 0.5
    assert "learned from too in the second half" in proposal.sentences[-1]
    for many in (propose_preset(more), propose_preset(few, case_count=20)):
        assert "kept_aside_until" not in many.settings


def test_large_images_are_brought_to_a_coarser_grid():
    size = (400, 400, 4)
    proposal = propose_preset([case(size, (0.5, 0.5, 5.0), centred(size, 4))])
    columns, rows, _ = proposal.settings["preprocessing"]["spacing"]
    assert columns == rows > 1
    assert "coarser than the images' 0.5 mm" in proposal.sentences[0]


@pytest.mark.parametrize(
    ("labels", "box", "mirrored", "says"),
    [
        ((), None, True, "no label has a side"),
        ((Label(1, "left kidney"),), None, False, "a label has a side"),
        ((), [(50, 60), (20, 40), (5, 15)], False, "same half"),
    ],
)
def test_images_are_mirrored_only_if_no_label_has_a_side(labels, box, mirrored, says):
    size = (64, 64, 20)
    proposal = propose_preset([case(size, (1.0, 1.0, 1.0), box or centred(size, 10))] * 2, labels)
    assert proposal.settings["augmentation"]["mirror"] is mirrored
    assert any(says in sentence for sentence in proposal.sentences)


def test_a_left_and_a_right_label_change_places_in_mirrored_images():
    size = (64, 64, 20)
    proposal = propose_preset([case(size, (1.0, 1.0, 1.0), centred(size, 10))], SIDED)
    assert proposal.settings["augmentation"]["mirror"] is True
    assert proposal.settings["mirrored_labels"] == [[1, 2]]


def test_single_slices_and_oblique_ones_are_taken_as_they_were_acquired():
    turned = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]).ravel().tolist()
    size = (64, 64, 10)
    for each in (
        case((64, 64, 1), (1.0, 1.0, 1.0), [(20, 40), (20, 40), (0, 1)]),
        case(size, (1.0, 1.0, 8.0), centred(size, 6), direction=turned),
    ):
        assert propose_preset([each]).settings["preprocessing"]["axes"] == "acquired"


@pytest.mark.parametrize(("depth", "reduction"), [(1, "slice"), (10, "batch")])
def test_small_structures_of_single_slices_weigh_as_much_as_large_ones(depth, reduction):
    each = case((64, 64, depth), (1.0, 1.0, 3.0), [(20, 40), (20, 40), (0, depth)])
    for start in (None, load_model("prostate-mr-t2")):
        assert propose_preset([each], start=start).settings["dice_reduction"] == reduction


def test_pieces_are_taken_out_that_are_smaller_than_those_of_the_labels():
    size = (64, 64, 20)
    large, small, crumb = ([(low, low + width)] * 2 + [(5, 15)] for low, width in ((10, 10), (40, 5), (60, 1)))

    def least_pieces(*boxes_of_cases):
        cases = []
        for boxes in boxes_of_cases:
            labels = sum(sitk.Cast(case(size, (1.0,) * 3, box).labels, sitk.sitkUInt8) for box in boxes)
            cases.append(LabelledCase("case", case(size, (1.0,) * 3, large).image, labels))
        proposal = propose_preset(cases, (Label(1, "kidney"), Label(2, "cyst")))
        said = [sentence for sentence in proposal.sentences if sentence.startswith("Pieces")]
        return proposal.settings["card"].get("least_pieces"), said

    one, said = least_pieces([large, crumb])
    assert one == [0.1, 0]
    assert said[0].startswith("Pieces of kidney below 10 % of the largest one")
    assert least_pieces([large, crumb], [large, small])[0] == [0.025, 0]
    assert least_pieces([crumb])[0] == [0.1, 0]


def test_intensities_of_ct_are_changed_little():
    size = (64, 64, 20)
    proposal = propose_preset([case(size, (1.0, 1.0, 1.0), centred(size, 10), dark=-1000)])
    assert proposal.settings["augmentation"]["bias"] == 0
    assert any("CT" in sentence for sentence in proposal.sentences)


@pytest.mark.parametrize(("levels", "window"), [((0.45, 0.5), None), ((0.3, 0.6), 12)])
@pytest.mark.parametrize(("depth", "scope"), [(20, "volume"), (1, "slice")])
def test_places_are_scaled_by_the_contrast_around_them_if_the_structure_is_of_uneven_brightness(
    levels, window, depth, scope
):
    size, cases = (64, 64, depth), []
    for level in levels:
        bright = case(size, (1.0, 1.0, 4.0), [(5, 25), (5, 60), (0, depth)])
        labelled = case(size, (1.0, 1.0, 4.0), [(35, 50), (20, 40), (0, depth)])
        structure = sitk.Cast(labelled.labels, sitk.sitkFloat32)
        cases.append(LabelledCase("case", bright.image + structure * level, labelled.labels))
    settings = propose_preset(cases).settings
    normalisation = settings["preprocessing"]["normalisation"]
    assert (normalisation["scope"], normalisation.get("contrast_window_sd")) == (scope, window)
    assert ("gamma" in settings["augmentation"]) is (window is not None)


@pytest.mark.parametrize("depth", [20, 1])
@pytest.mark.parametrize(("widths", "scale", "coarse"), [((20, 24), 1.25, 0.3), ((20, 30), 1.4, 1)])
def test_slices_are_changed_more_if_the_structure_differs_in_size(widths, scale, coarse, depth):
    size = (64, 64, depth)
    cases = [case(size, (1.0, 1.0, 4.0), [*centred(size[:2], width), (0, min(depth, width // 2))]) for width in widths]
    proposal = propose_preset(cases)
    assert proposal.settings["augmentation"]["scale"] == scale
    assert proposal.settings["deep_supervision_weight"] == coarse
    assert any("size differs" in sentence for sentence in proposal.sentences) is (scale > 1.25)


def test_the_length_across_the_slices_says_nothing_of_the_size_in_them():
    size = (64, 64, 40)
    cases = [case(size, (1.0, 1.0, 4.0), [*centred(size[:2], 20), (0, depth)]) for depth in (5, 40)]
    assert propose_preset(cases).settings["augmentation"]["scale"] == 1.25


def test_windows_of_the_finest_stage_are_for_the_largest_structure():
    size = (120, 120, 40)
    cases = [case(size, (1.0, 1.0, 1.0), centred(size, width)) for width in (20, 20, 30)]
    assert propose_preset(cases).settings["crops"][-1] == [48, 48]


@pytest.mark.parametrize(("depth", "spacing", "share"), [(20, 4.0, 0.3), (20, 1.0, 0.7), (1, 4.0, 0.7)])
def test_thick_slices_beyond_the_structure_are_seen_more_often(depth, spacing, share):
    size = (64, 64, depth)
    cases = [case(size, (1.0, 1.0, spacing), [*centred(size[:2], 20), (0, max(1, depth // 2))])]
    assert propose_preset(cases).settings["foreground_share"] == share


def test_the_cases_that_settings_go_by_are_spread_over_all():
    assert spread_over([1, 2, 3]) == [1, 2, 3]
    assert spread_over(range(80)) == [0, 10, 20, 30, 40, 50, 60, 70]


def test_cases_without_any_label_are_refused():
    with pytest.raises(TrainingError, match="No case has a label"):
        propose_preset([case((8, 8, 8), (1.0, 1.0, 1.0), [(0, 0)] * 3)])


def test_a_proposal_is_a_preset_file_and_needs_no_pytorch(tmp_path):
    size = (64, 64, 20)
    proposal = propose_preset([case(size, (1.0, 1.0, 1.0), centred(size, 10))], SIDED)
    assert json.loads(json.dumps(proposal.settings)) == proposal.settings
    program = "import MedNCALib.training.proposal, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    pytest.importorskip("torch")
    assert proposal.preset.mirrored_labels == ((1, 2),)
