"""The table of the input checks counts what is noticed and what only needs a region."""

from dataclasses import replace

import SimpleITK as sitk
from tools import check_inputs

from MedNCALib.imaging.phantom import make_phantom
from MedNCALib.model.model import load_model


def test_table_counts_wrong_images_and_those_that_need_a_region(tmp_path):
    small, large = make_phantom().image, make_phantom(size=(60, 80, 60), spacing=(1.2, 1.2, 1.2)).image
    for name in check_inputs.SETS:
        (tmp_path / name / "images").mkdir(parents=True)
        sitk.WriteImage(small, str(tmp_path / name / "images" / "1.nrrd"))
    sitk.WriteImage(large, str(tmp_path / "head" / "images" / "2.nrrd"))
    (tmp_path / "inputs").mkdir()
    sitk.WriteImage(small, str(tmp_path / "inputs" / "other.nrrd"))
    models = [replace(load_model("hippocampus-mr"), finder=None), load_model("prostate-mr-t2")]
    lines, milliseconds = check_inputs.table(tmp_path, models)
    assert "| hippocampus | 1 | 0 | 1 |" in lines
    assert "| head | 2 | 0 + 1 | 2 |" in lines
    assert "| other.nrrd | 1 | 0 | 1 |" in lines
    assert milliseconds > 0
