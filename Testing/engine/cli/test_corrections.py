"""mednca segment --corrections and mednca evaluate --corrections."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from support.command_line import array, refused
from support.obedient_model import obedient_model
from support.threshold_model import case

from MedNCALib import load_model, read_image, regrow, segment
from MedNCALib.cli.main import main


@pytest.fixture
def obedient_folder(tmp_path):
    return str(obedient_model().save(tmp_path / "models" / "obedient").folder)


@pytest.fixture
def corrections_file(tmp_path):
    """Bright in one voxel where the image is dark, background in one where it is bright."""
    labels = sitk.GetArrayFromImage(case(0)[1])
    said = np.zeros_like(labels)
    said[tuple(np.argwhere(labels == 0)[40])] = 2
    said[tuple(np.argwhere(labels == 2)[20])] = 255
    image = sitk.GetImageFromArray(said)
    image.CopyInformation(case(0)[1])
    path = tmp_path / "corrections.nii.gz"
    sitk.WriteImage(image, str(path))
    return path


def test_a_segmentation_is_written_as_it_has_regrown(obedient_folder, volume_file, corrections_file, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["segment", volume_file, "-m", obedient_folder, "-o", out, "--corrections", corrections_file, "--json"]
    assert main([str(argument) for argument in arguments]) == 0
    (summary,) = json.loads(capsys.readouterr().out)
    image, model = read_image(volume_file), load_model(obedient_folder)
    expected = regrow(image, model, segment(image, model).labels, read_image(corrections_file)).labels
    found = array(summary["segmentation"])
    np.testing.assert_array_equal(found, sitk.GetArrayFromImage(expected))
    assert (found != sitk.GetArrayFromImage(case(0)[1])).sum() > 2
    assert summary["quality"]["verdict"] is None
    voxel_ml = np.prod(image.GetSpacing()) / 1000
    assert summary["volumes_ml"]["bright"] == pytest.approx((found == 2).sum() * voxel_ml)


def test_the_uncertainty_is_that_of_the_passes_that_grew_last(
    obedient_folder, volume_file, corrections_file, tmp_path, capsys
):
    out, said = tmp_path / "out", array(corrections_file)
    arguments = ["segment", volume_file, "-m", obedient_folder, "-o", out, "--corrections", corrections_file]
    assert main([*map(str, arguments), "--runs", "2", "--uncertainty"]) == 0
    spread = array(out / "scan_obedient_uncertainty.nrrd")
    assert not spread[said > 0].any()
    assert spread.any()


def test_corrections_that_cannot_be_used_are_refused_before_anything_is_written(
    model_folder, obedient_folder, volume_file, corrections_file, tmp_path, capsys
):
    def message(folder, *more, images=(volume_file,)):
        out = tmp_path / "out"
        said = refused(capsys, "segment", *images, "-m", folder, "-o", out, "--corrections", corrections_file, *more)
        assert not out.exists()
        return said

    assert "threshold cannot regrow" in message(model_folder)
    assert "of one image" in message(obedient_folder, images=(volume_file, corrections_file))
    assert "does not go with --largest-only" in message(obedient_folder, "--largest-only")


def test_what_corrections_are_worth_is_printed_and_written(obedient_folder, cohort, tmp_path, capsys):
    pytest.importorskip("surface_distance")
    report = tmp_path / "report.json"
    arguments = ["evaluate", "-m", obedient_folder, *cohort, "--corrections", "2", "--json", str(report)]
    assert main(arguments) == 0
    written = json.loads(report.read_text(encoding="utf-8"))["corrections"]
    assert written["turns"] == 2
    assert written["whole"]["regrown"] == [1.0, 1.0, 1.0]
    assert written["poor_slices"] is None
    assert [one["name"] for one in written["cases"]] == ["case0", "case1"]
    table = capsys.readouterr().out.split("\n\n")[1].splitlines()
    assert table[0].split()[-3:] == ["0", "1", "2"]
    assert table[1].split() == ["regrown", "1.000", "1.000", "1.000"]


def test_a_model_that_cannot_regrow_is_refused_before_the_first_case(model_folder, cohort, capsys):
    assert "cannot regrow" in refused(capsys, "evaluate", "-m", model_folder, *cohort, "--corrections", "2")
