"""Pairing of images and labels by name, and what is refused."""

import numpy as np
import pytest
import SimpleITK as sitk

from MedNCALib.errors import ImageError
from MedNCALib.io.image_label_pairs import Pair, find_pairs, read_pair


@pytest.fixture
def folders(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    return tmp_path / "images", tmp_path / "labels"


def touch(folder, *names):
    for name in names:
        (folder / name).touch()


def test_files_pair_by_name_whatever_their_format(folders):
    images, labels = folders
    touch(images, "b.nii.gz", "a.v1.nrrd", ".DS_Store", "notes.txt")
    touch(labels, "a.v1.seg.nrrd", "b.mha", "._b.mha")
    (images / "folder.nii").mkdir()
    assert find_pairs(images, labels) == [
        Pair("a.v1", images / "a.v1.nrrd", labels / "a.v1.seg.nrrd"),
        Pair("b", images / "b.nii.gz", labels / "b.mha"),
    ]


def test_files_without_a_partner_are_named_on_both_sides(folders):
    images, labels = folders
    touch(images, "a.nii", "b.nii")
    touch(labels, "b.nii", "c.nii", "d.nii", "e.nii", "f.nii", "g.nii", "h.nii")
    with pytest.raises(ImageError) as refused:
        find_pairs(images, labels)
    assert "images without labels: a;" in str(refused.value)
    assert "labels without an image: c, d, e, f, g and 1 more" in str(refused.value)


def test_two_files_of_one_name_are_refused(folders):
    images, labels = folders
    touch(images, "a.nii", "a.nrrd")
    touch(labels, "a.nii")
    with pytest.raises(ImageError, match=r"a\.nii and .*a\.nrrd have the same name"):
        find_pairs(images, labels)


def test_an_empty_folder_and_a_missing_one_are_refused(folders):
    images, labels = folders
    with pytest.raises(ImageError, match="images holds no images"):
        find_pairs(images, labels)
    with pytest.raises(ImageError, match="There is no folder"):
        find_pairs(images / "nowhere", labels)


def written_pair(tmp_path, image, labels):
    pair = Pair("a", tmp_path / "a_image.nrrd", tmp_path / "a_labels.nrrd")
    sitk.WriteImage(image, str(pair.image))
    sitk.WriteImage(labels, str(pair.label))
    return pair


def test_labels_stored_as_floating_point_are_read_as_whole_numbers(tmp_path):
    labels = sitk.GetImageFromArray(np.array([[[0, 1], [2, 255]]], np.float32))
    image = sitk.Image((2, 2, 1), sitk.sitkInt16)
    image, labels = read_pair(written_pair(tmp_path, image, labels))
    assert labels.GetPixelID() == sitk.sitkUInt8
    assert sitk.GetArrayFromImage(labels).ravel().tolist() == [0, 1, 2, 255]


@pytest.mark.parametrize("value", [0.5, -1, 256, np.nan])
def test_values_that_are_no_labels_are_refused(tmp_path, value):
    labels = sitk.GetImageFromArray(np.full((2, 2, 2), value, np.float32))
    with pytest.raises(ImageError, match=r"a_labels\.nrrd is no label image"):
        read_pair(written_pair(tmp_path, sitk.Image((2, 2, 2), sitk.sitkInt16), labels))


def test_another_size_is_refused_with_both_names(tmp_path):
    images = sitk.Image((4, 4, 4), sitk.sitkInt16), sitk.Image((4, 4, 5), sitk.sitkUInt8)
    with pytest.raises(ImageError, match=r"a_labels\.nrrd has 4 x 4 x 5 voxels .*a_image\.nrrd has 4 x 4 x 4"):
        read_pair(written_pair(tmp_path, *images))


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image.SetOrigin((1.0, 0, 0)),
        lambda image: image.SetSpacing((1, 1, 1.1)),
        lambda image: image.SetDirection((-1, 0, 0, 0, 1, 0, 0, 0, 1)),
    ],
)
def test_another_place_in_space_is_refused(tmp_path, change):
    image, labels = sitk.Image((8, 8, 8), sitk.sitkInt16), sitk.Image((8, 8, 8), sitk.sitkUInt8)
    change(labels)
    with pytest.raises(ImageError, match="lies elsewhere in space"):
        read_pair(written_pair(tmp_path, image, labels))


def test_rounding_in_the_header_is_no_other_place(tmp_path):
    image, labels = sitk.Image((8, 8, 8), sitk.sitkInt16), sitk.Image((8, 8, 8), sitk.sitkUInt8)
    image.SetSpacing((0.333333, 0.333333, 1))
    labels.SetSpacing((0.3333, 0.3333, 1))
    _, read = read_pair(written_pair(tmp_path, image, labels))
    assert read.GetSpacing() == pytest.approx(image.GetSpacing(), abs=1e-7)
