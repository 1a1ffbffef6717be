"""From a whole head to both sides: where it looks, what it says of it, and what it refuses."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import SimpleITK as sitk
from support.head_model import FIELD_OF_VIEW, LABELS, head, head_model
from support.images import AXIS_ORDERS, rotated
from support.protocol_model import TIGHT, WIDE, protocol_model, rimmed_image

from MedNCALib import Finding, FoundStructure, NotFoundError, RunOptions, load_model, segment, segment_steps
from MedNCALib.errors import ArgumentError, ImageError, MedNCAWarning
from MedNCALib.imaging.phantom_head import make_head
from MedNCALib.model.card import Thresholds
from MedNCALib.segmentation import slice_groups
from MedNCALib.segmentation.input_checks import check_input

NAMES = [f"{side} {part} hippocampus" for side in ("left", "right") for part in ("anterior", "posterior")]


def voxels(image):
    return sitk.GetArrayFromImage(image)


def cut(image, *ranges):
    """The voxels of an image in ranges along x, y and z."""
    return image[tuple(slice(*each) for each in ranges)]


def test_both_sides_of_a_whole_head_are_found_and_named_by_their_side():
    image, labels = head()
    result = segment(image, head_model())
    np.testing.assert_array_equal(voxels(result.labels), voxels(labels))
    assert [structure.side for structure in result.found] == ["left", "right"]
    assert [(label.value, label.name) for label in result.label_table] == list(zip((11, 12, 21, 22), NAMES))
    assert list(result.quality.volumes_ml) == NAMES
    voxel_ml = 1.5**3 / 1000
    for label in result.label_table:
        expected = np.count_nonzero(voxels(labels) == label.value) * voxel_ml
        assert result.quality.volumes_ml[label.name].mean == pytest.approx(expected)
    brain_ml = np.count_nonzero((voxels(image) > 50) | (voxels(labels) > 0)) * voxel_ml
    assert result.brain_ml == pytest.approx(brain_ml, rel=0.05)
    assert result.notes == ()


def test_a_box_is_what_the_model_expects_around_the_structure():
    image, labels = head()
    result = segment(image, head_model())
    for structure, values in zip(result.found, ((11, 12), (21, 22))):
        z, y, x = np.argwhere(np.isin(voxels(labels), values)).mean(axis=0)
        left, posterior, superior = image.TransformContinuousIndexToPhysicalPoint((x, y, z))
        box = np.reshape(structure.box, (3, 2))
        np.testing.assert_allclose(box.mean(axis=1), (-left, -posterior, superior), atol=2)
        assert (box[:, 1] - box[:, 0] >= np.array(FIELD_OF_VIEW) - 1e-3).all()
        assert structure.confidence > 0.9
        assert structure.as_dict() == {
            "side": structure.side, "box": list(structure.box), "confidence": structure.confidence,
        }  # fmt: skip


def test_labels_on_a_side_have_its_code_and_colours_that_differ():
    model = head_model()
    tables = [model.labels_on(side) for side in (None, "left", "right")]
    assert tables[0] == LABELS
    for labels, code in zip(tables[1:], ("7771000", "24028007")):
        assert all(label.terminology["type_modifier"].value == code for label in labels)
        assert all(label.terminology["type"] == LABELS[0].terminology["type"] for label in labels)
    colours = [label.color for labels in tables[1:] for label in labels]
    assert len(set(colours)) == 4


@pytest.fixture(scope="module")
def done():
    """A head and its result."""
    image, _ = head(spacing=(1.5, 2.0, 1.75))
    return image, segment(image, head_model())


@pytest.mark.parametrize("order", AXIS_ORDERS)
def test_the_48_axis_orders_find_the_same(done, order):
    image, expected = done
    found = segment(sitk.DICOMOrient(image, order), head_model())
    assert found.found == expected.found
    assert found.brain_ml == expected.brain_ml
    np.testing.assert_array_equal(voxels(sitk.DICOMOrient(found.labels, "LPS")), voxels(expected.labels))


@pytest.fixture(scope="module")
def straight():
    """A head with air around it, and its result."""
    image, _ = head(size=(96, 108, 96))
    return image, segment(image, head_model())


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("degrees", [8, 30])
def test_a_rotated_head_is_searched_too(straight, axis, degrees):
    image, expected = straight
    result = segment(rotated(image, axis, degrees), head_model())
    for name, volume in expected.quality.volumes_ml.items():
        assert result.quality.volumes_ml[name].mean == pytest.approx(volume.mean, rel=0.1)


def test_an_image_as_large_as_the_model_expects_goes_straight_to_it():
    image, labels = head()
    block = cut(image, (36, 48), (20, 44), (20, 36)), cut(labels, (36, 48), (20, 44), (20, 36))
    steps = list(segment_steps(block[0], head_model()))
    assert not any(step.is_finding for step in steps)
    result = segment(block[0], head_model())
    assert (result.found, result.brain_ml, result.label_table) == ((), None, LABELS)
    assert set(np.unique(voxels(result.labels))) == {0, 1, 2}
    np.testing.assert_array_equal(voxels(result.labels), voxels(block[1]) % 10)


@pytest.mark.parametrize("settings", [{"find": "never"}, {"region": (-60, 60, -60, 60, 0, 120)}])
def test_without_a_search_or_with_a_region_no_side_is_known(settings):
    image, labels = head()
    result = segment(image, head_model(), **settings)
    assert result.found == ()
    assert result.label_table == LABELS
    assert result.labels_without_sides is result.labels
    np.testing.assert_array_equal(voxels(result.labels), voxels(labels) % 10)


def test_a_search_can_be_asked_for_if_the_image_is_small():
    image, labels = head(sides=("right",), size=(84, 96, 84))
    ranges = (6, 28), (18, 46), (18, 38)
    with pytest.warns(MedNCAWarning) as warned:
        result = segment(cut(image, *ranges), head_model(field_of_view_mm=(90.0, 90.0, 90.0)), find="always")
    assert [structure.side for structure in result.found] == ["right"]
    np.testing.assert_array_equal(voxels(result.labels), voxels(cut(labels, *ranges)))
    assert [str(warning.message) for warning in warned] == list(result.notes)
    assert result.notes[0].startswith("The left hippocampus was not found")
    assert result.brain_ml is None


def test_a_model_without_a_finder_is_as_it_was_and_cannot_be_asked_to_search():
    image, labels = head()
    model = head_model(with_finder=False)
    np.testing.assert_array_equal(voxels(segment(image, model).labels), voxels(labels) % 10)
    with pytest.raises(ArgumentError, match="head-blocks has no finder"):
        segment(image, model, find="always")
    with pytest.raises(ArgumentError, match="find must be one of auto, always, never"):
        segment(image, model, find="perhaps")


def test_what_was_found_can_be_corrected_and_used_again():
    image, labels = head()
    first = segment(image, head_model())
    left, right = first.found
    again = segment(image, head_model(), found=first.found)
    np.testing.assert_array_equal(voxels(again.labels), voxels(first.labels))
    assert again.found == first.found
    r0, r1, _, a1, s0, s1 = left.box
    front = replace(left, box=(r0, r1, np.mean(left.box[2:4]) + 1, a1, s0, s1))
    corrected = voxels(segment(image, head_model(), found=[front]).labels)
    expected = np.where(voxels(labels) == 11, 11, 0)
    assert np.count_nonzero(corrected != expected) < 0.2 * np.count_nonzero(expected)
    assert not any(step.is_finding for step in segment_steps(image, head_model(), found=[right]))
    kept = segment(image, head_model(), found=Finding((front, right), first.brain_ml))
    assert (kept.found, kept.brain_ml) == ((front, right), first.brain_ml)
    with pytest.raises(ArgumentError, match="one structure on each side"):
        segment(image, head_model(), found=[left, left])
    with pytest.raises(ArgumentError, match="not both"):
        segment(image, head_model(), found=[left], region=left.box)


def test_steps_say_what_they_are_of_and_the_share_rises_to_the_end(monkeypatch):
    monkeypatch.setattr(slice_groups, "GROUP_BYTES", 200_000)
    image, _ = head()
    steps = list(segment_steps(image, head_model(), runs=2))
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    searching = [step for step in steps if step.is_finding]
    assert steps[: len(searching)] == searching
    assert {step.runs for step in searching} == {1}
    assert {step.label_table[0].name for step in searching} == {"left hippocampus"}
    assert not any(step.found or step.structure for step in searching)
    assert 0.1 < searching[-1].fraction < 0.9
    for step in steps[len(searching) :]:
        assert len(step.found) == 2
        assert step.structure in step.found
        assert step.label_table[0].name == f"{step.structure.side} anterior hippocampus"
        assert step.probabilities().shape[-1] == len(step.label_table)
    sides = [step.structure.side for step in steps[len(searching) :]]
    assert sides == sorted(sides)


def test_a_run_can_be_stopped_in_each_part():
    image, _ = head()
    for number in (1, 3, 6):
        steps = segment_steps(image, head_model())
        for _ in range(number):
            next(steps)
        steps.close()
        with pytest.raises(StopIteration):
            next(steps)


def test_one_seed_gives_one_result_whatever_the_grouping_and_the_threads(monkeypatch):
    image, _ = head()
    expected = segment(image, head_model())
    monkeypatch.setattr(slice_groups, "GROUP_BYTES", 1)
    found = segment(image, head_model(), threads=2)
    assert found.found == expected.found
    np.testing.assert_array_equal(voxels(found.labels), voxels(expected.labels))


def test_probabilities_uncertainty_and_scores_are_those_of_both_sides():
    image, labels = head()
    result = segment(image, head_model(), runs=2, probabilities=True, uncertainty=True)
    assert list(result.probabilities) == NAMES
    for label in result.label_table:
        inside = voxels(result.probabilities[label.name]) > 0.5
        np.testing.assert_array_equal(inside, voxels(labels) == label.value)
    assert voxels(result.uncertainty).shape == voxels(labels).shape
    assert list(result.quality.label_agreement) == NAMES
    assert result.quality.agreement == 1


def test_the_largest_piece_stays_on_each_side():
    image, labels = head()
    speckled = sitk.Image(image)
    speckled[40, 26, 33] = 100  # one voxel apart from the left one, in its box
    assert np.count_nonzero(voxels(segment(speckled, head_model()).labels)) > np.count_nonzero(voxels(labels))
    result = segment(speckled, head_model(), largest_only=True)
    np.testing.assert_array_equal(voxels(result.labels), voxels(labels))
    assert result.quality.volumes_ml[NAMES[0]].mean == pytest.approx(
        np.count_nonzero(voxels(labels) == 11) * 1.5**3 / 1000
    )


def test_a_verdict_passes_only_if_each_side_does():
    """A side without one of its parts is for review, however sure the other side is."""
    image, _ = head()
    model = head_model(thresholds=Thresholds(agreement=0.5, nqm=0.5))
    assert segment(image, model, runs=2).quality.verdict == "pass"
    found = segment(image, model).found
    r0, r1, a0, _, s0, s1 = found[1].box
    posterior = replace(found[1], box=(r0, r1, a0, np.mean(found[1].box[2:4]) - 2, s0, s1))
    assert segment(image, model, runs=2, found=[found[0], posterior]).quality.verdict == "review"


def test_a_side_that_the_border_cuts_is_said():
    image, _ = head()
    with pytest.warns(MedNCAWarning) as warned:
        result = segment(cut(image, (0, 56), (30, 64), (0, 56)), head_model())
    notes = [str(warning.message) for warning in warned]
    assert notes == list(result.notes)
    assert [structure.is_cut for structure in result.found] == [True, True]
    assert notes[0].startswith("The left hippocampus reaches the border of the volume")
    assert notes[1].startswith("The right hippocampus reaches the border of the volume")
    assert "does not show the whole brain" in notes[2]
    assert result.brain_ml is None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: head(sides=())[0], "No hippocampus was found in the volume"),
        (lambda: head(size=(84, 200, 84), shift=(0, -50, 0), heads=2)[0], "found in several places"),
    ],
    ids=["none", "two heads"],
)
def test_a_result_out_of_nothing_and_several_heads_are_refused(make, message):
    with pytest.raises(ImageError, match=message) as error:
        segment(make(), head_model())
    assert "\n" not in str(error.value)


def test_sides_that_contradict_each_other_are_refused():
    """A head whose bright structure, the left one to the finder, lies on the right."""
    image, _ = head()
    mirrored = sitk.Flip(image, (True, False, False))
    mirrored.CopyInformation(image)
    with pytest.raises(ImageError, match="lies to the right of what was found on the right"):
        segment(mirrored, head_model())


def test_what_is_too_small_or_little_sure_is_left_out():
    model = head_model()
    image, _ = head()
    for changes, message in (
        ({"least_ml": 10.0}, "No hippocampus was found"),
        ({"least_confidence": 1.1}, "its confidence is 1.00, and must be 1.1 at least"),
    ):
        strict = replace(model, card=replace(model.card, finder=replace(model.card.finder, **changes)))
        with pytest.raises(ImageError, match=message):
            segment(image, strict)


def test_what_the_finder_is_less_sure_of_than_usual_comes_with_a_note():
    model = head_model()
    image, _ = head()
    sure, unsure = (
        replace(model, card=replace(model.card, finder=replace(model.card.finder, usual_confidence=usual)))
        for usual in (0.9, 1.1)
    )
    assert segment(image, sure).notes == ()
    said = r"less sure of the left hippocampus \(1.00\) and the right hippocampus \(1.00\) .*\(1.1 and more\)"
    with pytest.warns(MedNCAWarning, match=said):
        result = segment(image, unsure)
    assert [structure.side for structure in result.found] == ["left", "right"]


def test_what_is_too_large_is_something_else():
    image, _ = head(sides=("left",))
    flooded = voxels(image)
    flooded[4:50, 4:60, 28:50] = 100  # all of one side, far more than the model expects
    bright = sitk.GetImageFromArray(flooded)
    bright.CopyInformation(image)
    with pytest.raises(NotFoundError, match="No hippocampus was found"):
        segment(bright, head_model())


def test_no_region_is_asked_for_if_the_model_finds_the_anatomy():
    image, _ = head(size=(200, 200, 200))
    assert check_input(image, head_model()) == []
    assert "limit the run to a region" in check_input(image, head_model(), find="never")[0]
    assert "limit the run to a region" in check_input(image, head_model(with_finder=False))[0]


def test_options_can_be_taken_from_run_options():
    image, _ = head()
    assert segment(image, head_model(), **asdict(RunOptions(find="never"))).found == ()


def test_where_boxes_overlap_the_first_side_keeps_its_voxels():
    image, labels = head()
    left, right = segment(image, head_model()).found
    wide = replace(left, box=(-60.0, 60.0, -60.0, 60.0, 0.0, 120.0))
    result = segment(image, head_model(), found=[wide, right], uncertainty=True, runs=2)
    np.testing.assert_array_equal(voxels(result.labels), np.where(voxels(labels) > 0, voxels(labels) % 10 + 10, 0))
    assert result.quality.volumes_ml[NAMES[2]].mean == 0


def test_the_cells_of_all_sides_vote_on_one_protocol():
    image, model = rimmed_image(), protocol_model()
    everything = (-40.0, 20.0, -60.0, 0.0, 20.0, 70.0)
    sides = [FoundStructure("left", everything, 1.0), FoundStructure("right", everything, 1.0)]
    steps = list(segment_steps(image, model, found=sides))
    votes = [step for step in steps if step.run == 0]
    assert [step.structure.side for step in votes] == ["left"] * 3 + ["right"] * 3
    assert steps[: len(votes)] == votes
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert segment(image, model, found=sides).protocol == segment(image, model).protocol == TIGHT.name
    assert segment(image, model, found=sides, protocol=WIDE.name).protocol == WIDE.name
    with pytest.raises(ArgumentError, match="has no protocol 'other'"):
        next(segment_steps(image, head_model(), protocol="other"))


def test_a_model_that_says_nothing_of_its_field_of_view_is_searched_for_with_boxes_around_what_is_found():
    image, labels = head()
    model = head_model(field_of_view_mm=None)
    result = segment(image, model)
    np.testing.assert_array_equal(voxels(result.labels), voxels(labels))
    sizes = np.diff(np.reshape([structure.box for structure in result.found], (-1, 2)))
    assert (sizes < 40).all()


def test_a_block_no_larger_than_the_model_expects_is_found_on_its_side_if_a_search_is_asked_for():
    """Each side of a synthetic head, in the bundled model's field of view, and a block beside it."""
    whole, model = make_head(), load_model("hippocampus-mr")
    lengths = np.array([24, 34, 24])  # voxels along left, posterior and superior
    for value, side in ((1, "left"), (2, "right")):
        middle = np.argwhere(voxels(whole.labels) // 10 == value).mean(axis=0)[::-1]
        first = np.rint(middle - lengths / 2).astype(int)
        block = cut(whole.image, *zip(first.tolist(), (first + lengths).tolist()))
        with pytest.warns(MedNCAWarning):  # the other side was not found
            result = segment(block, model, find="always")
        assert [structure.side for structure in result.found] == [side]
    above = first + np.array([0, 0, 34])
    with pytest.raises(NotFoundError):
        segment(cut(whole.image, *zip(above.tolist(), (above + lengths).tolist())), model, find="always")
