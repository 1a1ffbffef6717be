"""mednca segment of a sequence: labels of all frames, figures of the beat, table and picture, and what is refused."""

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk
from support.beating_heart import cine_series, discs, heart_model, image_of, volumes_ml
from support.command_line import refused

from MedNCALib.cli.main import main
from MedNCALib.errors import ImageError

FRAMES = 6
VOXELS = discs(FRAMES)
TRUTH = volumes_ml(VOXELS, (1.5, 1.5, 8.0))


@pytest.fixture
def heart_folder(tmp_path):
    heart_model().save(tmp_path / "models" / "heart")
    return str(tmp_path / "models" / "heart")


@pytest.fixture
def cine_file(tmp_path):
    image = sitk.JoinSeries([image_of(volume) for volume in VOXELS])
    image.SetSpacing((*image.GetSpacing()[:3], 0.1))
    sitk.WriteImage(image, str(tmp_path / "cine.nii.gz"))
    return tmp_path / "cine.nii.gz"


def summary_of(capsys, *arguments):
    assert main(["segment", *map(str, arguments), "--json"]) == 0
    output = capsys.readouterr()
    (summary,) = json.loads(output.out)
    return summary, output.err


def assert_known(summary):
    assert [frame["volume_ml"] for frame in summary["frames"]] == pytest.approx(TRUTH)
    assert [frame["volumes_ml"]["left ventricle cavity"] for frame in summary["frames"]] == pytest.approx(TRUTH)
    assert (summary["ed_frame"], summary["es_frame"]) == (0, 3)
    assert summary["edv_ml"] == pytest.approx(TRUTH[0])
    assert summary["esv_ml"] == pytest.approx(TRUTH[3])
    assert summary["stroke_volume_ml"] == pytest.approx(TRUTH[0] - TRUTH[3])
    assert summary["ejection_fraction"] == pytest.approx(100 * (TRUTH[0] - TRUTH[3]) / TRUTH[0])
    labels = sitk.ReadImage(summary["segmentation"])
    assert np.array_equal(sitk.GetArrayFromImage(labels) == 2, VOXELS == 1100)


def test_a_four_dimensional_file_gives_the_figures_of_the_beat(heart_folder, cine_file, tmp_path, capsys):
    summary, said = summary_of(capsys, cine_file, "-m", heart_folder, "-o", tmp_path / "out")
    assert_known(summary)
    assert [frame["time_ms"] for frame in summary["frames"]] == pytest.approx([0, 100, 200, 300, 400, 500], abs=1e-3)
    assert summary["heart_rate_bpm"] == pytest.approx(100)
    assert summary["cardiac_output_l_min"] == pytest.approx(summary["stroke_volume_ml"] / 10)
    assert summary["spread"]["edv_ml"] is None
    assert summary["slices"] == {"first": 2, "last": 4, "count": 5}
    assert summary["warnings"] == []
    assert said == ""
    names = ("cine_heart.nii.gz", "cine_heart_volumes.csv", "cine_heart_volumes.png")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == list(names)
    assert [summary[key] for key in ("segmentation", "table", "picture")] == [
        str(tmp_path / "out" / name) for name in names
    ]


def test_a_folder_of_cine_dicom_gives_the_same(heart_folder, tmp_path, capsys):
    folder = cine_series(tmp_path / "cine", VOXELS, series_of=lambda number: f"1.2.9.{number}")
    summary, _ = summary_of(capsys, folder, "-m", heart_folder, "-o", tmp_path / "out")
    assert_known(summary)
    assert summary["sorted_by"] == "trigger times"
    labels = sitk.ReadImage(summary["segmentation"])
    assert labels.GetOrigin()[:3] == pytest.approx((-20.0, 30.0, 12.0))


def test_the_keys_of_a_summary_are_there_for_a_sequence_too(heart_folder, cine_file, tmp_path, capsys):
    single = tmp_path / "single.nii.gz"
    sitk.WriteImage(image_of(VOXELS[0]), str(single))
    of_volume, _ = summary_of(capsys, single, "-m", heart_folder, "-o", tmp_path / "out")
    of_sequence, _ = summary_of(capsys, cine_file, "-m", heart_folder, "-o", tmp_path / "out", "--runs", "2")
    assert set(of_volume) < set(of_sequence)
    assert set(of_sequence["frames"][0]) == {
        "time_ms", "volume_ml", "volume_sd_ml", "volumes_ml", "quality", "protocol", "notes",
    }  # fmt: skip
    assert of_sequence["frames"][0]["quality"]["agreement"] == 1
    assert of_sequence["spread"]["ejection_fraction"] == pytest.approx(0, abs=1e-9)


def test_the_table_and_the_line_say_the_same(heart_folder, cine_file, tmp_path, capsys):
    assert main(["segment", str(cine_file), "-m", heart_folder, "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert f"6 frames by order in the file; EDV {TRUTH[0]:.1f} mL (frame 1); ESV {TRUTH[3]:.1f} mL (frame 4)" in said
    with (tmp_path / "out" / "cine_heart_volumes.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["volume_ml"]) for row in rows] == pytest.approx(TRUTH, abs=1e-3)
    assert [row["mark"] for row in rows] == ["ED", "", "", "ES", "", ""]


def test_only_chosen_slices_are_counted(heart_folder, cine_file, tmp_path, capsys):
    summary, _ = summary_of(capsys, cine_file, "-m", heart_folder, "-o", tmp_path, "--slices", "3", "4")
    counted = volumes_ml(VOXELS[:, 2:4], (1.5, 1.5, 8.0))
    assert [frame["volume_ml"] for frame in summary["frames"]] == pytest.approx(counted)
    assert summary["slices"] == {"first": 3, "last": 4, "count": 5}


def test_the_time_between_frames_is_stated(heart_folder, cine_file, tmp_path, capsys):
    summary, _ = summary_of(capsys, cine_file, "-m", heart_folder, "-o", tmp_path, "--frame-interval", "200")
    assert summary["heart_rate_bpm"] == pytest.approx(50)
    assert summary["sorted_by"] == "stated interval"


def test_warnings_are_lines_on_stderr(heart_folder, tmp_path, capsys):
    image = sitk.JoinSeries([image_of(volume) for volume in discs(FRAMES, empty=0)])
    sitk.WriteImage(image, str(tmp_path / "cine.mha"))
    summary, said = summary_of(capsys, tmp_path / "cine.mha", "-m", heart_folder, "-o", tmp_path / "out")
    assert "reaches the end of the stack" in summary["warnings"][0]
    assert said.count("\n") == 1
    assert "mednca: warning: " in said
    assert summary["heart_rate_bpm"] is None


def test_what_is_left_out_is_said(heart_folder, tmp_path, capsys):
    def change(frame, number):
        return None if (frame, number) == (1, 4) else {}

    folder = cine_series(tmp_path / "cine", VOXELS, change=change)
    arguments = ["segment", folder, "-m", heart_folder, "-o", tmp_path / "out"]
    assert "--leave-out goes on without them" in refused(capsys, *arguments)
    summary, said = summary_of(capsys, *arguments[1:], "--leave-out")
    assert len(summary["left_out"]) == 1
    assert "slice 5 has 5" in said
    assert [frame["volume_ml"] for frame in summary["frames"]] == pytest.approx(TRUTH)


def test_another_model_gives_volumes_of_its_labels_without_a_beat(model_folder, cine_file, tmp_path, capsys):
    summary, _ = summary_of(capsys, cine_file, "-m", model_folder, "-o", tmp_path / "out")
    assert [frame["volumes_ml"]["bright"] for frame in summary["frames"]] == pytest.approx(TRUTH)
    assert "ejection_fraction" not in summary
    assert summary["table"] is None
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["cine_threshold.nii.gz"]


@pytest.mark.parametrize("option", ["--stress", "--probability", "--uncertainty"])
def test_options_of_single_volumes_are_refused(heart_folder, cine_file, tmp_path, capsys, option):
    text = refused(capsys, "segment", cine_file, "-m", heart_folder, "-o", tmp_path / "out", option)
    assert f"{option} is for single volumes, and this is a sequence of 6 frames" in text
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("options", [("--slices", "1", "2"), ("--frame-interval", "40")])
def test_options_of_sequences_are_refused_for_single_volumes(model_folder, volume_file, tmp_path, capsys, options):
    text = refused(capsys, "segment", volume_file, "-m", model_folder, "-o", tmp_path, *options)
    assert f"{options[0]} is for sequences of volumes" in text


def test_slices_that_are_not_there_are_refused_before_the_run(heart_folder, cine_file, tmp_path, capsys, monkeypatch):
    from MedNCALib.segmentation import sequence

    monkeypatch.setattr(sequence, "segment_steps", lambda *_: pytest.fail("the run has begun"))
    text = refused(capsys, "segment", cine_file, "-m", heart_folder, "-o", tmp_path, "--slices", "3", "9")
    assert "There are no slices 3 to 9: choose from 1 to 5" in text


def test_slices_are_refused_for_models_without_a_ventricle(model_folder, cine_file, tmp_path, capsys):
    text = refused(capsys, "segment", cine_file, "-m", model_folder, "-o", tmp_path, "--slices", "1", "2")
    assert "--slices is for models that find the left ventricle" in text


def test_a_frame_that_cannot_be_used_is_named_and_nothing_is_written(heart_folder, tmp_path, capsys):
    voxels = VOXELS.copy()
    voxels[2] = 0
    sitk.WriteImage(sitk.JoinSeries([image_of(volume) for volume in voxels]), str(tmp_path / "cine.mha"))
    text = refused(capsys, "segment", tmp_path / "cine.mha", "-m", heart_folder, "-o", tmp_path / "out")
    assert "cine.mha: Frame 3 of 6: " in text
    assert not list((tmp_path / "out").iterdir())


def test_the_sequence_is_not_held_in_memory(tmp_path):
    """Frames are read when their turn has come."""
    from MedNCALib.io.image_sequence import read_sequence

    sequence = read_sequence(cine_series(tmp_path / "cine", VOXELS))
    frames = iter(sequence)
    next(frames)
    for path in (tmp_path / "cine").iterdir():
        path.write_bytes(b"")
    with pytest.raises(ImageError, match="damaged or cut short"):
        next(frames)
