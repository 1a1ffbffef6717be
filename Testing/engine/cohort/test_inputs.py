"""Which images a cohort has, how their results are called, and which of them a shard has."""

import os
import shutil
import sys

import pytest
import SimpleITK as sitk
from support.dicom_files import series

from MedNCALib.cohort.inputs import case_names, images_in, is_folder_of_images, listed_images, shard, shard_of
from MedNCALib.errors import MedNCAError


@pytest.fixture
def folder(tmp_path):
    """Volumes and other files, a folder below, and one with a DICOM series."""
    root = tmp_path / "in"
    (root / "below" / ".hidden").mkdir(parents=True)
    sitk.WriteImage(sitk.Image((3, 3, 3), sitk.sitkUInt8), str(root / "b.nii.gz"))
    for name in ("a.nrrd", "a.seg.nrrd", ".c.nrrd", "note.txt", "below/b.nii.gz", "below/.hidden/d.nrrd", "slice.png"):
        shutil.copy(root / "b.nii.gz", root / name)
    series(root / "below" / "study")
    return root


def below(folder, paths):
    return [os.path.relpath(path, folder) for path in paths]


def test_the_volumes_of_a_folder_are_its_images(folder):
    assert below(folder, images_in(str(folder))) == ["a.nrrd", "b.nii.gz"]
    everything = ["a.nrrd", "b.nii.gz", "below/b.nii.gz", "below/study"]
    assert below(folder, images_in(str(folder), recursive=True)) == everything
    assert below(folder, images_in(str(folder), True, "b*")) == ["b.nii.gz", "below/b.nii.gz"]
    assert below(folder, images_in(str(folder), True, "below/*.gz")) == ["below/b.nii.gz"]


def test_a_folder_with_a_dicom_series_is_one_case(folder):
    assert is_folder_of_images(str(folder))
    study = folder / "below" / "study"
    assert not is_folder_of_images(str(study))
    shutil.copy(folder / "b.nii.gz", study / "b.nii.gz")
    assert not is_folder_of_images(str(study))


def test_cases_are_called_by_their_stems_unless_two_have_the_same():
    assert case_names(["a/1.nii.gz", "b/2.nrrd"]) == ["1", "2"]
    assert case_names(["a/s.nii.gz", "b/s.nii.gz", "b/t.nrrd"]) == ["a/s", "b/s", "b/t"]
    assert case_names(["a/s.nii.gz", "a/s.nrrd", "a/t.nrrd"]) == ["s.nii.gz", "s.nrrd", "t"]
    assert case_names(["a/s.nii.gz", "b/c/s.nii.gz", "b/c/s.nrrd"]) == ["a/s", "b/c/s.nii.gz", "b/c/s.nrrd"]


def test_a_list_has_a_path_a_line_or_before_each_nul_byte(tmp_path):
    file = tmp_path / "list.txt"
    file.write_bytes("\ufeff# first\na b.nii\n\nGröße.nii\r\n".encode() + b"c\xff.nii\n")
    assert listed_images(str(file)) == ["a b.nii", "Größe.nii", os.fsdecode(b"c\xff.nii")]
    file.write_bytes(b"a\nb.nii\0c.nii\0")
    assert listed_images(str(file)) == ["a\nb.nii", "c.nii"]
    with pytest.raises(MedNCAError, match=r"missing\.txt cannot be read"):
        listed_images(str(tmp_path / "missing.txt"))


SLURM = {"SLURM_ARRAY_TASK_ID": "14", "SLURM_ARRAY_TASK_MIN": "10", "SLURM_ARRAY_TASK_MAX": "18"}


@pytest.mark.parametrize(
    ("text", "environment", "part"),
    [
        ("3/8", {}, (3, 8)),
        ("auto", {**SLURM, "SLURM_ARRAY_TASK_STEP": "2"}, (3, 5)),
        ("auto", {"SGE_TASK_ID": "2", "SGE_TASK_FIRST": "1", "SGE_TASK_LAST": "4", "SGE_TASK_STEPSIZE": "1"}, (2, 4)),
        ("auto", {"SGE_TASK_ID": "undefined", "LSB_JOBINDEX": "5", "LSB_JOBINDEX_END": "9"}, (5, 9)),
        ("auto/6", {"PBS_ARRAY_INDEX": "6"}, (6, 6)),
        ("auto/6", {"PBS_ARRAYID": "1"}, (1, 6)),
    ],
)
def test_a_shard_is_stated_or_read_from_the_variables_of_a_job_array(text, environment, part):
    assert shard_of(text, environment) == part


@pytest.mark.parametrize(
    ("text", "environment"),
    [("3", {}), ("0/8", {}), ("9/8", {}), ("a/b", {}), ("auto", {}), ("auto", {"PBS_ARRAY_INDEX": "1"})],
)
def test_a_shard_that_is_none_is_refused_in_a_sentence(text, environment):
    with pytest.raises(MedNCAError, match="shard"):
        shard_of(text, environment)


def test_the_shards_have_each_case_once():
    cases = [str(number) for number in range(11)]
    parts = [list(shard(cases, number, 4)) for number in range(1, 5)]
    assert sorted(case for part in parts for case in part) == sorted(cases)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_to_a_folder_is_not_followed(folder):
    (folder / "loop").symlink_to(folder)
    assert len(images_in(str(folder), recursive=True)) == 4
