"""The segmentation protocol: named or voted for, and the same in all that a run is followed with."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import SimpleITK as sitk
from support.images import noise_image
from support.protocol_model import TIGHT, WIDE, border_of, protocol_model, rimmed_image
from support.random_models import KERNELS, random_model

from MedNCALib import MedNCAError, RunOptions, segment, segment_steps
from MedNCALib.model.card import Protocol
from MedNCALib.segmentation import slice_groups
from MedNCALib.segmentation.cell_history import cell_history
from MedNCALib.segmentation.growth_animation import write_growth_gif
from MedNCALib.segmentation.model_input import ModelInput
from MedNCALib.segmentation.recording import Recorder, SettlingRecorder, step_number
from MedNCALib.segmentation.steps import run_to_end

CLEAR, HAZY = rimmed_image(), rimmed_image(hazy_slices=6)


def voxels(image):
    return sitk.GetArrayFromImage(image)


def pair(*values):
    return tuple(Protocol(name, "", value) for name, value in zip(("one", "other"), values))


def with_protocols(model, *values):
    return replace(model, card=replace(model.card, protocols=pair(*values)))


@pytest.mark.parametrize("engine", KERNELS)
@pytest.mark.parametrize("image", [CLEAR, HAZY])
@pytest.mark.parametrize("protocol", [WIDE, TIGHT], ids=lambda protocol: protocol.name)
def test_the_border_is_that_of_the_protocol_that_is_named(image, protocol, engine):
    result = segment(image, protocol_model(), protocol=protocol.name, engine=engine, runs=2)
    assert result.protocol == protocol.name
    np.testing.assert_array_equal(voxels(result.labels), border_of(image, protocol))


@pytest.mark.parametrize("engine", KERNELS)
@pytest.mark.parametrize(("image", "protocol"), [(CLEAR, TIGHT), (HAZY, WIDE)])
def test_without_a_name_it_goes_by_how_the_image_looks(image, protocol, engine):
    voted = segment(image, protocol_model(), engine=engine, runs=2, probabilities=True)
    named = segment(image, protocol_model(), engine=engine, runs=2, probabilities=True, protocol=protocol.name)
    assert voted.protocol == protocol.name
    np.testing.assert_array_equal(voxels(voted.labels), voxels(named.labels))
    np.testing.assert_array_equal(voxels(voted.probabilities["structure"]), voxels(named.probabilities["structure"]))
    assert voted.quality == named.quality


def test_a_region_votes_alone():
    assert segment(HAZY, protocol_model()).protocol == WIDE.name
    x, y, z = HAZY.TransformContinuousIndexToPhysicalPoint((-0.5, -0.5, 5.5))  # where the clear slices begin
    clear_part = (-x - 24, -x, -y - 30, -y, z, z + 12)
    assert segment(HAZY, protocol_model(), region=clear_part).protocol == TIGHT.name


@pytest.mark.parametrize("hazy_slices", range(4, 8))
def test_the_size_of_groups_does_not_change_the_vote(hazy_slices, monkeypatch):
    image = rimmed_image(hazy_slices)
    together = segment(image, protocol_model())
    monkeypatch.setattr(slice_groups, "GROUP_BYTES", 1)  # one slice at a time
    alone = segment(image, protocol_model())
    assert alone.protocol == together.protocol
    np.testing.assert_array_equal(voxels(alone.labels), voxels(together.labels))


def mean_vote(image, model, seed):
    """Mean of the last channel at the end of the first stage of the first pass, with no protocol named."""
    model_input, architecture = ModelInput(image, model), model.cascade.architecture
    numbers = range(model_input.space.count)
    states = [
        now.state.copy()
        for now in model.cascade.run(model_input.slices(numbers), numbers, architecture.fire_draws(seed))
    ]
    return float(states[architecture.stages[0].steps - 1][..., -1].mean(dtype=np.float64))


@pytest.mark.parametrize("runs", [1, 3])
def test_the_protocol_is_the_one_whose_value_is_nearest_to_the_mean_vote_of_the_first_pass(runs):
    image, model = noise_image(), random_model()
    mean = mean_vote(image, model, seed=5)
    assert abs(mean - mean_vote(image, model, seed=6)) > 1e-4  # the draws matter
    for values, name in (((mean + 1.0001, mean - 1), "other"), ((mean + 1, mean - 1.0001), "one")):
        assert segment(image, with_protocols(model, *values), seed=5, runs=runs).protocol == name


def test_a_vote_that_is_level_goes_to_the_lower_value():
    silent = with_protocols(random_model(strength=0), 3, -3)
    assert segment(noise_image(), silent).protocol == "other"


@pytest.mark.parametrize("model", [random_model(), protocol_model()], ids=["none", "two"])
def test_a_protocol_that_the_model_does_not_have_is_refused_before_the_first_step(model):
    names = ", ".join(["auto", *(protocol.name for protocol in model.card.protocols)])
    steps = segment_steps(CLEAR, model, protocol="narrow")
    with pytest.raises(MedNCAError, match=f"{model.name} has no protocol 'narrow'. Choose one of: {names}\\."):
        next(steps)


def test_the_protocol_is_one_of_the_options_of_a_run():
    options = asdict(RunOptions(protocol=WIDE.name))
    assert segment(CLEAR, protocol_model(), **options).protocol == WIDE.name
    with pytest.raises(MedNCAError, match="protocol must be a name, not 3"):
        RunOptions(protocol=3)


def test_a_model_without_protocols_has_none_and_no_vote():
    assert segment(CLEAR, random_model()).protocol is None
    assert [step.run for step in segment_steps(CLEAR, random_model(((2, 2), (1, 1))), runs=2)] == [1] * 3 + [2] * 3


@pytest.mark.parametrize("group_bytes", [1, 1 << 30])
@pytest.mark.parametrize("runs", [1, 3])
def test_the_vote_comes_first_and_the_share_that_is_done_only_grows(group_bytes, runs, monkeypatch):
    monkeypatch.setattr(slice_groups, "GROUP_BYTES", group_bytes)
    groups = 12 if group_bytes == 1 else 1
    steps = list(segment_steps(CLEAR, protocol_model(), runs=runs))
    vote = 3 * groups
    assert [step.run == 0 for step in steps] == [True] * vote + [False] * 6 * groups * runs
    assert {(step.stage, step.steps, step.scale) for step in steps[:vote]} == {(1, 3, 2)}
    assert np.all(np.diff([0.0, *(step.fraction for step in steps)]) > 0)
    assert steps[-1].fraction == pytest.approx(1, abs=1e-12)
    assert steps[vote - 1].fraction == pytest.approx((3 / 4) / (3 / 4 + runs * (3 + 3 / 4)))  # a cell of stage 1 is 4


def test_recorders_do_not_see_the_vote():
    found = []
    for protocol in ("auto", TIGHT.name):
        settling = SettlingRecorder()
        hidden = Recorder(lambda step: step.state[..., -1], np.float32, 1 << 30)
        run_to_end(hidden.follow(settling.follow(segment_steps(CLEAR, protocol_model(), protocol=protocol))))
        found.append((settling.settled, hidden.frames))
    (settled, frames), (expected, expected_frames) = found
    assert settled.any()
    np.testing.assert_array_equal(settled, expected)
    assert frames.keys() == expected_frames.keys()
    for number, frame in frames.items():
        np.testing.assert_array_equal(frame, expected_frames[number])


@pytest.mark.parametrize("protocol", ["auto", WIDE.name])
def test_the_history_of_a_cell_is_that_of_a_run_with_the_protocol(protocol):
    model, at = protocol_model(), (5, 9, 7)  # slice, row and column
    history = cell_history(CLEAR, model, CLEAR.TransformIndexToPhysicalPoint(at[::-1]), protocol=protocol)
    for step in segment_steps(CLEAR, model, protocol=protocol):
        if step.run == 1:
            row = history.channels[step_number(step) - 1]
            np.testing.assert_allclose(step.full_size(step.state)[at], row, atol=1e-6)
    assert np.sign(history.channels[0, -1]) == np.sign((TIGHT if protocol == "auto" else WIDE).value)


def test_the_animation_of_the_growth_is_that_of_the_protocol(tmp_path):
    model = protocol_model()
    pictures = {}
    for protocol in ("auto", TIGHT.name, WIDE.name):
        labels = segment(CLEAR, model, protocol=WIDE.name).labels
        write_growth_gif(tmp_path / "growth.gif", CLEAR, labels, model, protocol=protocol)
        pictures[protocol] = (tmp_path / "growth.gif").read_bytes()
    assert pictures["auto"] == pictures[TIGHT.name] != pictures[WIDE.name]
