"""mednca bids: a data set with sessions, runs and an odd subject in, derivatives with table and page out."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import SimpleITK as sitk
from support.command_line import refused
from support.threshold_model import case, threshold_model

from MedNCALib._version import __version__
from MedNCALib.cli.main import main
from MedNCALib.cohort.bids import find_images, suffix_for
from MedNCALib.errors import MedNCAError

IMAGES = (
    "sub-01/anat/sub-01_T1w.nii.gz",
    "sub-02/ses-a/anat/sub-02_ses-a_run-1_T1w.nii.gz",
    "sub-02/ses-a/anat/sub-02_ses-a_run-2_T1w.nii.gz",
    "sub-02/ses-b/anat/sub-02_ses-b_acq-mprage_T1w.nii.gz",
)
OTHERS = ("sub-01/anat/sub-01_T2w.nii.gz", "sub-03/anat/sub-03_T2w.nii.gz", "sub-01/func/sub-01_task-rest_bold.nii.gz")

VALIDATOR = Path(sys.executable).with_name("bids-validator-deno")  # the package of this name, beside this Python


@pytest.fixture
def dataset(tmp_path):
    root = tmp_path / "data"
    for number, name in enumerate((*IMAGES, *OTHERS)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(case(number)[0], str(root / name))
    (root / "dataset_description.json").write_text('{"Name": "phantoms", "BIDSVersion": "1.10.0"}', encoding="utf-8")
    return root


@pytest.fixture
def model(tmp_path):
    return str(threshold_model(modality="MR, T1-weighted").save(tmp_path / "thre-shold").folder)


def bids(*arguments):
    return main(["bids", *map(str, arguments)])


def test_derivatives_lie_and_are_called_as_the_specification_has_it(dataset, model, tmp_path, capsys):
    out = dataset / "derivatives" / "mednca"
    assert bids(dataset, out, "participant", "-m", model, "--runs", "2") == 0
    assert "sub-03 has no T1w image" in capsys.readouterr().err
    written = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    bases = [name.replace("_T1w.nii.gz", "_seg-threshold_dseg") for name in IMAGES]
    assert written == {
        "dataset_description.json", ".bidsignore", "README.md",
        *(base + ending for base in bases for ending in (".nii.gz", ".json", ".tsv", ".jpg")),
    }  # fmt: skip
    sidecar = json.loads((out / f"{bases[1]}.json").read_text(encoding="utf-8"))
    assert sidecar["Sources"] == [f"bids:raw:{IMAGES[1]}"]
    assert (sidecar["participant_id"], sidecar["session_id"]) == ("sub-02", "ses-a")
    description = json.loads((out / "dataset_description.json").read_text(encoding="utf-8"))
    assert description["DatasetType"] == "derivative"
    assert description["GeneratedBy"][0]["Version"] == __version__
    labels = sitk.ReadImage(str(out / f"{bases[2]}.nii.gz"))
    assert (sitk.GetArrayFromImage(labels) == sitk.GetArrayFromImage(case(2)[1])).all()


def test_the_group_level_writes_table_and_page(dataset, model, tmp_path, capsys):
    out = tmp_path / "out"
    assert bids(dataset, out, "participant", "-m", model) == 0
    assert bids(dataset, out, "group") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "4 done, 0 failed."
    with (out / "mednca.tsv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [(row["participant_id"], row["session_id"]) for row in rows] == [
        ("sub-01", "n/a"), ("sub-02", "ses-a"), ("sub-02", "ses-a"), ("sub-02", "ses-b"),
    ]  # fmt: skip
    assert "sub-02_ses-b_acq-mprage" in (out / "mednca.html").read_text(encoding="utf-8")


def test_only_the_participants_that_are_named_take_part(dataset, model, tmp_path):
    out = tmp_path / "out"
    assert bids(dataset, out, "participant", "-m", model, "--participant-label", "sub-01", "--suffix", "T2w") == 0
    assert [path.name for path in out.rglob("*.nii.gz")] == ["sub-01_seg-threshold_dseg.nii.gz"]


def test_what_is_no_data_set_is_refused_in_a_line(dataset, model, tmp_path, capsys):
    out = tmp_path / "out"
    assert "has no sub-09" in refused(capsys, "bids", dataset, out, "participant", "--participant-label", "09")
    assert "has no images FLAIR" in refused(capsys, "bids", dataset, out, "participant", "--suffix", "FLAIR")
    assert "holds no results" in refused(capsys, "bids", dataset, out, "group")
    assert not out.exists()
    for folder in dataset.glob("sub-*"):
        shutil.rmtree(folder)
    assert "is no BIDS data set" in refused(capsys, "bids", dataset, out, "participant")


def test_the_suffix_follows_from_the_modality():
    assert suffix_for("MR, T2-weighted") == "T2w"
    with pytest.raises(MedNCAError, match="--suffix"):
        suffix_for("MR, cine")


def test_files_whose_names_are_not_of_the_specification_are_left_out(dataset):
    for name in ("sub-01/anat/sub-01_copy of_T1w.nii.gz", "sub-01/anat/sub-02_T1w.nii.gz", "sub-01/anat/T1w.nii.gz"):
        shutil.copy(dataset / IMAGES[0], dataset / name)
    images, without = find_images(dataset, "T1w")
    assert sorted(image.relative for image in images) == sorted(IMAGES)
    assert without == ["sub-03"]


@pytest.mark.skipif(not VALIDATOR.exists(), reason="needs bids-validator-deno")
def test_the_validator_of_the_specification_finds_no_error(dataset, model):
    out = dataset / "derivatives" / "mednca"
    assert bids(dataset, out, "participant", "-m", model, "--runs", "2") == 0
    assert bids(dataset, out, "group") == 0
    checked = validated(out)
    assert checked.returncode == 0, checked.stdout
    (out / "sub-01" / "anat" / "sub-01_dseg.nonsense").write_text("no derivative", encoding="utf-8")
    assert validated(out).returncode != 0


def validated(folder):
    return subprocess.run(
        [VALIDATOR, folder, "--ignoreWarnings"], capture_output=True, text=True, encoding="utf-8", check=False
    )
