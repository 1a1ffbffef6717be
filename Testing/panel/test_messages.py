"""The sentences of the panel."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from support.brightness_model import brightness_model

from MedNCALib.model.card import Scores


@pytest.fixture
def messages(host):
    from MedNCAPanel import messages

    return messages


def step(**changes):
    values = {"stage": 2, "stages": 2, "step": 7, "steps": 12, "run": 1, "runs": 1, "slices": (8, 16, 35)}
    values |= {"is_finding": False, "structure": None}
    return SimpleNamespace(**{**values, **changes})


def test_progress_names_stage_step_slices_and_the_time_left(messages):
    assert messages.progressLine(step(), 3.7) == "Fine stage, step 7 of 12, slices 9-16 of 35, 4 s left"


def test_progress_says_that_it_looks_and_which_side_grows(messages):
    assert messages.progressLine(step(is_finding=True)).startswith("Finding the anatomy, fine stage, step 7 of 12")
    assert messages.progressLine(step(structure=SimpleNamespace(side="left"))).startswith("Left side, fine stage")
    line = messages.progressLine(step(structure=SimpleNamespace(side="right"), run=2, runs=3))
    assert line.startswith("Right side, run 2 of 3, fine stage")
    assert messages.progressLine(step(structure=SimpleNamespace(side=None))).startswith("Fine stage")


def test_progress_without_a_guess_of_the_time_leaves_it_out(messages):
    assert messages.progressLine(step(stage=1)) == "Coarse stage, step 7 of 12, slices 9-16 of 35"


def test_progress_of_several_runs_counts_them(messages):
    line = messages.progressLine(step(run=2, runs=5))
    assert line == "Run 2 of 5, fine stage, step 7 of 12, slices 9-16 of 35"


@pytest.mark.parametrize(
    ("stages", "names"),
    [
        (1, ["Stage 1 of 1"]),
        (2, ["Coarse stage", "Fine stage"]),
        (3, ["Coarse stage", "Middle stage", "Fine stage"]),
        (4, ["Stage 1 of 4", "Stage 2 of 4", "Stage 3 of 4", "Stage 4 of 4"]),
    ],
)
def test_stages_are_named_from_coarse_to_fine(messages, stages, names):
    lines = [messages.progressLine(step(stage=stage, stages=stages)) for stage in range(1, stages + 1)]
    assert [line.partition(",")[0] for line in lines] == names


def test_model_line_tells_the_cards_essentials(messages, tmp_path):
    model = brightness_model(tmp_path)
    assert messages.modelLine(model) == (
        "Finds: anterior hippocampus, posterior hippocampus.\nExpects: test images; none.\n"
        "Held-out Dice: not measured. Size: 5 KB. Licence: Apache-2.0."
    )
    model = replace(model, card=replace(model.card, field_of_view_mm=(36, 50.5, 36)))
    assert "Expects: test images; none; 36 x 50.5 x 36 mm." in messages.modelLine(model)
    model = replace(model, card=replace(model.card, scores=Scores(whole=0.8864)))
    assert "Held-out Dice: 0.886." in messages.modelLine(model)


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (130, "2 min 10 s")])
def test_durations_read_naturally(messages, seconds, text):
    assert messages.duration(seconds) == text


def test_structure_that_was_not_found_is_said(messages):
    assert messages.doneLine({"head": 1.714, "tail": 0.0}, 3.84) == "Done in 3.8 s: head 1.71 mL, no tail."
    assert messages.doneLine({"head": 1.714}, 75) == "Done in 1 min 15 s: head 1.71 mL."


def test_progress_says_that_the_cells_vote_on_the_protocol(messages):
    line = messages.progressLine(step(stage=1, run=0, runs=5))
    assert line == "Choosing the protocol, coarse stage, step 7 of 12, slices 9-16 of 35"
