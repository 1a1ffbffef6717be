"""mednca segment: what it writes and prints, and what it refuses."""

import json
import os
import struct
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import SimpleITK as sitk
from support.command_line import array, python, refused
from support.shared_data import REPOSITORY, shared_data
from support.threshold_model import case

from MedNCALib.cli.main import main


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


def test_segment_prints_a_summary_as_json(model_folder, volume_file, tmp_path, capsys):
    out = tmp_path / "out"
    options = ["-m", model_folder, "-o", str(out), "--runs", "2", "--probability", "--uncertainty", "--json"]
    assert main(["segment", str(volume_file), *options]) == 0
    (summary,) = json.loads(capsys.readouterr().out)
    assert summary["input"] == str(volume_file)
    assert summary["model"] == "threshold"
    assert summary["segmentation"] == str(out / "scan_threshold.seg.nrrd")
    assert summary["probabilities"]["bright"] == str(out / "scan_threshold_bright_probability.nrrd")
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
    assert [os.path.basename(summary["segmentation"]) for summary in summaries] == [
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
    assert process.wait(60) == 0
    assert b"%|" in drawn
    assert b"scan.nii.gz" in drawn


def test_torch_is_not_loaded_by_the_numpy_engine(model_folder, volume_file, tmp_path):
    arguments = ["segment", str(volume_file), "-m", model_folder, "-o", str(tmp_path), "--engine", "numpy"]
    code = f"import sys; from MedNCALib.cli.main import main; print(main({arguments!r}), 'torch' in sys.modules)"
    assert python(code).endswith("0 False")
