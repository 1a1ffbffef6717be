"""--find: a whole head in, both sides out, on the command line."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from support.command_line import array, refused
from support.head_model import head, head_model

from MedNCALib import read_image, segment
from MedNCALib.cli.main import main
from MedNCALib.io.segmentation_file import read_segments

NAMES = {
    11: "left anterior hippocampus",
    12: "left posterior hippocampus",
    21: "right anterior hippocampus",
    22: "right posterior hippocampus",
}


@pytest.fixture
def model(tmp_path):
    return head_model(tmp_path / "models")


@pytest.fixture
def head_file(tmp_path):
    path = tmp_path / "head.nrrd"
    sitk.WriteImage(head()[0], str(path))
    return path


def summary_of(capsys, *arguments):
    assert main([*map(str, arguments), "--json"]) == 0
    output = capsys.readouterr()
    return json.loads(output.out)[0], output.err


def test_a_whole_head_becomes_a_segmentation_of_both_sides(model, head_file, tmp_path, capsys):
    out = tmp_path / "out"
    summary, err = summary_of(capsys, "segment", head_file, "-m", model.folder, "-o", out, "--probability")
    assert err == ""
    expected = segment(read_image(head_file), model)
    assert summary["found"] == [
        {"side": each.side, "box": list(each.box), "confidence": each.confidence} for each in expected.found
    ]
    assert summary["brain_ml"] == expected.brain_ml
    assert summary["notes"] == []
    assert list(summary["volumes_ml"]) == list(NAMES.values())
    path = out / "head_head-blocks.seg.nrrd"
    assert summary["segmentation"] == str(path)
    np.testing.assert_array_equal(array(path), sitk.GetArrayFromImage(head()[1]))
    segments = read_segments(path)
    assert {value: label.name for value, label in segments.items()} == NAMES
    assert len({label.color for label in segments.values()}) == 4
    assert "SCT^24028007^Right" in sitk.ReadImage(str(path)).GetMetaData("Segment2_Tags")
    assert set(summary["probabilities"]) == set(NAMES.values())
    assert (array(summary["probabilities"][NAMES[22]]) > 0.5).sum() == (array(path) == 22).sum()


def test_the_line_names_the_sides_and_the_brain(model, head_file, tmp_path, capsys):
    assert main(["segment", str(head_file), "-m", str(model.folder), "-o", str(tmp_path)]) == 0
    line = capsys.readouterr().out
    assert "left anterior hippocampus 1.13 mL" in line
    assert "; brain 220 mL; " in line


@pytest.mark.parametrize("options", [("--find", "never"), ("--region", "-60", "60", "-60", "60", "0", "120")])
def test_nothing_is_searched_if_not_wanted_or_if_there_is_a_region(model, head_file, tmp_path, capsys, options):
    summary, _ = summary_of(capsys, "segment", head_file, "-m", model.folder, "-o", tmp_path, *options)
    assert summary["found"] == []
    assert summary["brain_ml"] is None
    assert list(summary["volumes_ml"]) == ["anterior hippocampus", "posterior hippocampus"]


def test_what_is_to_be_known_of_a_result_is_a_line_on_stderr(model, tmp_path, capsys):
    path = tmp_path / "half.nrrd"
    image = head()[0]
    sitk.WriteImage(image[28:, :, :], str(path))  # the left half
    summary, err = summary_of(capsys, "segment", path, "-m", model.folder, "-o", tmp_path)
    assert [each["side"] for each in summary["found"]] == ["left"]
    assert summary["brain_ml"] is None
    assert len(summary["notes"]) == 2
    assert all(f"half.nrrd: {note}" in err for note in summary["notes"])
    assert err.count("\n") == 2


def test_a_head_without_the_structure_is_refused_in_a_line_and_leaves_no_file(model, tmp_path, capsys):
    path, out = tmp_path / "empty.nrrd", tmp_path / "out"
    sitk.WriteImage(head(sides=())[0], str(path))
    message = refused(capsys, "segment", path, "-m", model.folder, "-o", out)
    assert "empty.nrrd: No hippocampus was found in the volume" in message
    assert not list(out.iterdir())


def test_a_search_without_a_finder_is_refused(model_folder, volume_file, tmp_path, capsys):
    message = refused(capsys, "segment", volume_file, "-m", model_folder, "-o", tmp_path / "out", "--find", "always")
    assert "threshold has no finder" in message
    message = refused(capsys, "segment", volume_file, "-m", model_folder, "-o", tmp_path / "out", "--find", "some")
    assert "find must be one of auto, always, never, not 'some'" in message


def test_a_demonstration_shows_the_first_side(model, head_file, tmp_path):
    out = tmp_path / "demo"
    assert main(["demo", "-o", str(out), "--volume", str(head_file), "-m", str(model.folder)]) == 0
    assert {value: label.name for value, label in read_segments(out / "head_head-blocks.seg.nrrd").items()} == NAMES
    assert (out / "head_growth.gif").stat().st_size > 0
