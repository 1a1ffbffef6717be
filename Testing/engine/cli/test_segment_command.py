"""mednca segment: what it writes and prints, and what it refuses."""

import csv
import json
import os
import shutil
import struct
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.command_line import array, mednca, python, refused
from support.protocol_model import TIGHT, WIDE, border_of, protocol_model, rimmed_image
from support.shared_data import REPOSITORY, shared_data
from support.threshold_model import LABELS, case, threshold_model

from MedNCALib import load_model, read_image, stress_test
from MedNCALib._version import __version__
from MedNCALib.cli.main import main
from MedNCALib.io.images import write_image


def test_segment_writes_a_segmentation_named_after_image_and_model(model_folder, volume_file, tmp_path, capsys):
    assert main(["segment", str(volume_file), "-m", model_folder, "-o", str(tmp_path / "new" / "out")]) == 0
    path = tmp_path / "new" / "out" / "scan_threshold.seg.nrrd"
    assert [path] == list((tmp_path / "new" / "out").iterdir())
    truth = case(0)[1]
    written = sitk.ReadImage(str(path))
    assert np.array_equal(sitk.GetArrayFromImage(written), sitk.GetArrayFromImage(truth))
    assert written.GetSpacing() == pytest.approx(truth.GetSpacing())
    assert written.GetMetaData("Segment1_Name") == "bright"
    printed = capsys.readouterr()
    assert "scan_threshold.seg.nrrd: medium" in printed.out
    assert printed.err == ""


def test_a_stress_test_is_a_table_beside_the_segmentation_and_a_sentence(model_folder, volume_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["segment", str(volume_file), "-m", model_folder, "-o", str(out), "--stress", "--json"]) == 0
    (summary,) = json.loads(capsys.readouterr().out)
    assert {path.name for path in out.iterdir()} == {"scan_threshold.seg.nrrd", "scan_threshold_stress.csv"}
    test = stress_test(read_image(volume_file), load_model(model_folder))
    assert summary["stress"] == {"table": str(out / "scan_threshold_stress.csv"), **test.as_dict()}
    assert np.array_equal(array(summary["segmentation"]), sitk.GetArrayFromImage(case(0)[1]))
    with (out / "scan_threshold_stress.csv").open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert list(rows[0]) == ["perturbation", "dice", "dice medium", "dice bright", "volume_ml", "volume_percent"]
    assert [row["perturbation"] for row in rows] == [change.perturbation for change in test.changes]
    assert [float(row["dice"]) for row in rows] == pytest.approx([change.dice for change in test.changes], abs=1e-4)
    assert main(["segment", str(volume_file), "-m", model_folder, "-o", str(out), "--stress"]) == 0
    assert capsys.readouterr().out.splitlines()[1].endswith(f"scan_threshold_stress.csv: {test.sentence}")


def test_the_summary_has_the_measurements(volume_file, tmp_path, capsys):
    names = ("anterior box", "posterior box")
    labels = tuple(replace(label, name=name) for label, name in zip(LABELS, names))
    model = replace(threshold_model(), labels=labels).save(tmp_path / "boxes")
    out = str(tmp_path / "out")
    assert main(["segment", str(volume_file), "-m", str(model.folder), "-o", out, "--runs", "2", "--json"]) == 0
    (summary,) = json.loads(capsys.readouterr().out)
    anterior, posterior = (summary["volumes_ml"][name] for name in names)
    assert summary["measurements"] == [
        {"structure": "box", "quantity": "volume", "value": anterior + posterior, "unit": "mL", "spread": 0.0},
        {
            "structure": "box",
            "quantity": "anterior/posterior ratio",
            "value": anterior / posterior,
            "unit": "",
            "spread": 0.0,
        },
    ]


def test_without_a_stress_test_there_is_no_table(model_folder, volume_file, tmp_path, capsys):
    assert main(["segment", str(volume_file), "-m", model_folder, "-o", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["stress"] is None
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_segment_prints_a_summary_as_json(model_folder, volume_file, tmp_path, capsys):
    out = tmp_path / "out"
    options = ["-m", model_folder, "-o", str(out), "--runs", "2", "--seed", "7", "--probability", "--uncertainty"]
    options.append("--json")
    assert main(["segment", str(volume_file), *options]) == 0
    (summary,) = json.loads(capsys.readouterr().out)
    assert summary["input"] == str(volume_file)
    assert summary["model"] == "threshold"
    assert summary["segmentation"] == str(out / "scan_threshold.seg.nrrd")
    assert summary["probabilities"]["bright"] == str(out / "scan_threshold_bright_probability.nrrd")
    assert summary["model_sha256"] == load_model(model_folder).sha256
    assert summary["version"] == __version__
    assert (summary["seed"], summary["passes"]) == (7, 2)
    assert summary["seconds"] > 0
    assert summary["quality"]["runs"] == 2
    truth = case(0)[1]
    voxel_ml = np.prod(truth.GetSpacing()) / 1000
    assert summary["volumes_ml"]["bright"] == pytest.approx((sitk.GetArrayFromImage(truth) == 2).sum() * voxel_ml)
    bright = array(summary["probabilities"]["bright"])
    assert (bright[sitk.GetArrayFromImage(truth) == 2] > 0.5).all()
    assert array(summary["uncertainty"]).max() > 0


def test_segment_takes_several_images_and_dicom_folders(model_folder, volume_file, tmp_path, capsys):
    folder = shared_data("inputs", "CTHeadAxialDicom")
    assert main(["segment", str(volume_file), str(folder), "-m", model_folder, "-o", str(tmp_path), "--json"]) == 0
    summaries = json.loads(capsys.readouterr().out)
    assert [Path(summary["segmentation"]).name for summary in summaries] == [
        "scan_threshold.seg.nrrd",
        "CTHeadAxialDicom_threshold.seg.nrrd",
    ]
    assert array(summaries[1]["segmentation"]).shape == (93, 64, 64)


@pytest.mark.parametrize("name", ["ProstateX-0000_t2_tra_dicom", "abdomen_mr_LPS_3mm.nii.gz", "spine_t2_PSR.nii.gz"])
def test_segment_keeps_the_geometry_of_real_inputs(model_folder, tmp_path, capsys, name):
    from MedNCALib.io.images import read_image

    source = shared_data("inputs", name)
    assert main(["segment", str(source), "-m", model_folder, "-o", str(tmp_path), "--json"]) == 0
    image, labels = read_image(source), sitk.ReadImage(json.loads(capsys.readouterr().out)[0]["segmentation"])
    assert labels.GetSize() == image.GetSize()
    assert labels.GetOrigin() == pytest.approx(image.GetOrigin(), abs=1e-4)
    assert labels.GetSpacing() == pytest.approx(image.GetSpacing(), abs=1e-6)
    assert labels.GetDirection() == pytest.approx(image.GetDirection(), abs=1e-6)


def test_segment_looks_only_at_the_region(model_folder, volume_file, tmp_path, capsys):
    # The block runs from R 0 to -8 (its first index to the left) and from S 0 to 12.
    region = ["--region", "-20", "20", "-20", "20", "-1", "5"]
    assert main(["segment", str(volume_file), "-m", model_folder, "-o", str(tmp_path), *region]) == 0
    labels, truth = array(tmp_path / "scan_threshold.seg.nrrd"), sitk.GetArrayFromImage(case(0)[1])
    assert labels[:3].any()
    assert np.array_equal(labels[:3], truth[:3])
    assert not labels[4:].any()


@pytest.mark.parametrize("low", ["-20", "-20.", "-2e1", "-.2E+2"])
def test_a_region_may_have_negative_numbers_in_any_notation(model_folder, volume_file, tmp_path, low):
    region = ["--region", low, "20", low, "20", "-1", "5"]
    assert main(["segment", str(volume_file), "-m", model_folder, "-o", str(tmp_path), *region]) == 0
    assert array(tmp_path / "scan_threshold.seg.nrrd")[:3].any()


def test_the_largest_island_of_a_label_is_kept_when_asked_for(model_folder, tmp_path):
    image, truth = case(0, size=(16, 8, 7))
    labels = sitk.GetArrayFromImage(truth)
    values = sitk.GetArrayFromImage(image)
    labels[-1, -1, -1], values[-1, -1, -1] = 1, values[labels == 1][0]
    with_island = sitk.GetImageFromArray(values)
    with_island.CopyInformation(image)
    sitk.WriteImage(with_island, str(tmp_path / "scan.nrrd"))
    command = ["segment", str(tmp_path / "scan.nrrd"), "-m", model_folder]
    assert main([*command, "-o", str(tmp_path / "all")]) == 0
    assert main([*command, "-o", str(tmp_path / "largest"), "--largest-only"]) == 0
    assert np.array_equal(array(tmp_path / "all" / "scan_threshold.seg.nrrd"), labels)
    labels[-1, -1, -1] = 0
    assert np.array_equal(array(tmp_path / "largest" / "scan_threshold.seg.nrrd"), labels)


def test_a_bad_image_does_not_stop_the_others(model_folder, volume_file, tmp_path, capsys):
    empty = tmp_path / "empty.nrrd"
    empty.write_bytes(b"")
    images = [str(empty), str(volume_file), str(tmp_path / "missing.nii")]
    assert main(["segment", *images, "-m", model_folder, "-o", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr()
    assert [line.split(":")[0] for line in printed.out.splitlines()] == [str(tmp_path / "out/scan_threshold.seg.nrrd")]
    first, second = printed.err.splitlines()
    assert first.startswith("mednca: ")
    assert "empty.nrrd" in first
    assert "missing.nii" in second
    assert main(["segment", *images, "-m", model_folder, "-o", str(tmp_path / "out"), "--json"]) == 1
    assert [summary["input"] for summary in json.loads(capsys.readouterr().out)] == [str(volume_file)]


def test_images_none_of_which_can_be_segmented_are_one_line(model_folder, tmp_path, capsys):
    names = [f"missing{number}.nii" for number in range(7)]
    message = refused(capsys, "segment", *(tmp_path / name for name in names), "-m", model_folder, "-o", tmp_path)
    assert "None of the 7 cases is done" in message
    assert all(name in message for name in names[:5])
    assert "and 2 more" in message


def test_what_is_finished_is_said_if_the_rest_is_stopped(model_folder, volume_file, tmp_path, capsys, monkeypatch):
    from MedNCALib.cohort import case as cohort_case

    def read_volumes(path, **_options):
        if "second" in str(path):
            raise KeyboardInterrupt
        return sitk.ReadImage(str(path))

    monkeypatch.setattr(cohort_case, "read_volumes", read_volumes)
    options = ["-m", model_folder, "-o", str(tmp_path), "--json"]
    assert main(["segment", str(volume_file), str(tmp_path / "second.nii"), *options]) == 130
    printed = capsys.readouterr()
    assert [summary["input"] for summary in json.loads(printed.out)] == [str(volume_file)]
    assert printed.err == "mednca: stopped.\n"


def test_an_image_that_does_not_fit_the_model_is_warned_about_in_one_line(volume_file, tmp_path, capsys):
    threshold_model(field_of_view_mm=[2, 3, 4]).save(tmp_path / "small")
    command = ["segment", str(volume_file), "-m", str(tmp_path / "small"), "-o", str(tmp_path)]
    assert main(command) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith(f"mednca: warning: {volume_file}: The volume is much larger than the 2 x 3 x 4 mm")
    assert printed.err.count("\n") == 1
    assert main([*command, "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)
    assert "much larger" in printed.err
    assert main([*command, "--region", "-20", "20", "-20", "20", "-1", "5"]) == 0
    assert capsys.readouterr().err == ""


def test_the_licence_of_a_model_that_is_not_free_is_said_once(volume_file, tmp_path, capsys):
    threshold_model(licence="Research use only").save(tmp_path / "bound")
    second = shutil.copy(volume_file, tmp_path / "second.nii.gz")
    assert main(["segment", str(volume_file), str(second), "-m", str(tmp_path / "bound"), "-o", str(tmp_path)]) == 0
    expected = "mednca: warning: The licence of bound restricts its use: Research use only.\n"
    assert capsys.readouterr().err == expected


def test_of_an_image_that_fails_only_the_reason_is_said(tmp_path, capsys):
    threshold_model(licence="Research use only", field_of_view_mm=[2, 3, 4]).save(tmp_path / "bound")
    flat = sitk.Image((30, 30, 30), sitk.sitkInt16)
    sitk.WriteImage(flat, str(tmp_path / "flat.nrrd"))
    message = refused(capsys, "segment", tmp_path / "flat.nrrd", "-m", tmp_path / "bound", "-o", tmp_path)
    assert "no contrast" in message


def test_each_file_records_how_it_came_about(model_folder, volume_file, tmp_path, capsys):
    options = ["-m", model_folder, "-o", str(tmp_path), "--runs", "2", "--seed", "7", "--probability", "--uncertainty"]
    assert main(["segment", str(volume_file), *options, "--json"]) == 0
    (summary,) = json.loads(capsys.readouterr().out)
    for file in (summary["segmentation"], *summary["probabilities"].values(), summary["uncertainty"]):
        written = sitk.ReadImage(file)
        record = {
            key[len("MedNCA_") :]: written.GetMetaData(key) for key in written.GetMetaDataKeys() if "MedNCA" in key
        }
        assert record == {
            "model": "threshold",
            "model_sha256": load_model(model_folder).sha256,
            "version": __version__,
            "seed": "7",
            "passes": "2",
        }


def test_what_a_file_does_not_say_can_be_stated(model_folder, tmp_path, capsys):
    image, truth = case(0)
    image.SetSpacing((1000, 1500, 2000))  # micrometres
    sitk.WriteImage(image, str(tmp_path / "scan.nii"))
    command = ["segment", tmp_path / "scan.nii", "-m", model_folder, "-o", tmp_path]
    assert "--spacing" in refused(capsys, *command)
    assert main([*map(str, command), "--spacing", "1", "1.5", "2", "--axes", "RAS"]) == 0
    written = sitk.ReadImage(str(tmp_path / "scan_threshold.seg.nrrd"))
    assert written.GetSpacing() == (1, 1.5, 2)
    assert written.GetDirection() == (-1, 0, 0, 0, -1, 0, 0, 0, 1)
    assert np.array_equal(sitk.GetArrayFromImage(written), sitk.GetArrayFromImage(truth))


C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' file names are text")
@pytest.mark.parametrize("environment", [{}, C_LOCALE], ids=["UTF-8", "C"])
@pytest.mark.parametrize("name", [b"sc\xffan", "Größe 海".encode()])
def test_a_file_may_have_any_name_in_any_locale(model_folder, volume_file, tmp_path, name, environment):
    named = tmp_path / os.fsdecode(name + b".nii.gz")
    shutil.copy(volume_file, named)
    out = tmp_path / os.fsdecode(b"o\xfft")
    ended = mednca("segment", named, "-m", model_folder, "-o", out, "--probability", **environment)
    assert (ended.returncode, ended.stderr) == (0, "")
    written = {os.fsencode(path.name) for path in out.iterdir()}
    endings = (b"_threshold.seg.nrrd", b"_threshold_medium_probability.nrrd", b"_threshold_bright_probability.nrrd")
    assert written == {name + ending for ending in endings}


def test_images_that_would_overwrite_each_other_are_refused(model_folder, volume_file, tmp_path, capsys):
    (tmp_path / "b").mkdir()
    other = tmp_path / "b" / "scan.nrrd"
    sitk.WriteImage(case(1)[0], str(other))
    message = refused(capsys, "segment", volume_file, other, "-m", model_folder, "-o", tmp_path / "out")
    assert "would be written to the same file" in message
    assert not (tmp_path / "out").exists()


def test_an_image_without_contrast_is_named(model_folder, tmp_path, capsys):
    sitk.WriteImage(sitk.Image((8, 8, 8), sitk.sitkInt16), str(tmp_path / "flat.nrrd"))
    message = refused(capsys, "segment", tmp_path / "flat.nrrd", "-m", model_folder, "-o", tmp_path / "out")
    assert "flat.nrrd: The image has no contrast" in message
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--runs", "0"], "runs"),
        (["--runs", "two"], "--runs"),
        (["--engine", "gpu"], "engine 'gpu' is not known"),
        (["--threads", "0"], "threads"),
        (["--uncertainty"], "at least 2 runs"),
        (["--seed", "-1"], "seed"),
        (["--region", "0", "1", "2"], "--region"),
        (["--region", "900", "901", "900", "901", "900", "901"], "region"),
    ],
)
def test_settings_that_make_no_sense_are_one_line_and_code_2(
    model_folder, volume_file, tmp_path, capsys, options, message
):
    assert message in refused(capsys, "segment", volume_file, "-m", model_folder, "-o", tmp_path / "out", *options)


def test_a_file_where_the_output_folder_should_be_is_named(model_folder, volume_file, tmp_path, capsys):
    assert "scan.nii.gz" in refused(capsys, "segment", volume_file, "-m", model_folder, "-o", volume_file)


@pytest.mark.skipif(find_spec("tqdm") is None, reason="needs tqdm")
def test_a_progress_bar_is_drawn_on_a_terminal(model_folder, volume_file, tmp_path):
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "MedNCALib", "segment", str(volume_file), "-m", model_folder, "-o", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        cwd=REPOSITORY,
    )
    os.close(theirs)
    drawn = b""
    try:
        while piece := os.read(ours, 4096):
            drawn += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    assert process.wait(300) == 0
    assert b"%|" in drawn
    assert b"scan.nii.gz" in drawn


def test_torch_is_not_loaded_by_the_numpy_engine(model_folder, volume_file, tmp_path):
    arguments = ["segment", str(volume_file), "-m", model_folder, "-o", str(tmp_path), "--engine", "numpy"]
    code = f"import sys; from MedNCALib.cli.main import main; print(main({arguments!r}), 'torch' in sys.modules)"
    assert python(code).endswith("0 False")


@pytest.fixture
def two_protocols(tmp_path):
    """A folder of a model that knows two protocols, and a file with an image that it takes for a tight one."""
    write_image(tmp_path / "rimmed.nrrd", rimmed_image())
    return str(protocol_model().save(tmp_path / "two-protocols").folder), str(tmp_path / "rimmed.nrrd")


@pytest.mark.parametrize(("arguments", "protocol"), [([], TIGHT), (["--protocol", "wide"], WIDE)])
def test_the_protocol_is_taken_written_and_said(two_protocols, tmp_path, capsys, arguments, protocol):
    model, image = two_protocols
    command = ["segment", image, "-m", model, "-o", str(tmp_path / "out"), *arguments]
    assert main([*command, "--json"]) == 0
    (summary,) = json.loads(capsys.readouterr().out)
    assert summary["protocol"] == protocol.name
    np.testing.assert_array_equal(array(summary["segmentation"]), border_of(rimmed_image(), protocol))
    assert sitk.ReadImage(summary["segmentation"]).GetMetaData("MedNCA_protocol") == protocol.name
    assert main(command) == 0
    assert f"; protocol {protocol.name}" in capsys.readouterr().out


def test_a_model_without_protocols_says_nothing_of_them(model_folder, volume_file, tmp_path, capsys):
    command = ["segment", str(volume_file), "-m", model_folder, "-o", str(tmp_path / "out")]
    assert main([*command, "--json"]) == 0
    (summary,) = json.loads(capsys.readouterr().out)
    assert summary["protocol"] is None
    assert not sitk.ReadImage(summary["segmentation"]).HasMetaDataKey("MedNCA_protocol")
    assert main(command) == 0
    assert "; protocol" not in capsys.readouterr().out  # the path has this test's name


def test_a_protocol_that_the_model_does_not_have_is_refused_before_an_image_is_read(two_protocols, tmp_path, capsys):
    model, _ = two_protocols
    said = refused(capsys, "segment", "no such file", "-m", model, "-o", str(tmp_path / "out"), "--protocol", "narrow")
    assert "has no protocol 'narrow'. Choose one of: auto, wide, tight." in said
    assert not (tmp_path / "out").exists()
