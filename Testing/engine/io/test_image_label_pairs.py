"""Pairing of images and labels by name, and what is refused."""

import numpy as np
import pytest
import SimpleITK as sitk

from MedNCALib.errors import ImageError, MedNCAWarning
from MedNCALib.imaging.labels import Label
from MedNCALib.io.image_label_pairs import Pair, find_pairs, labels_named_in, read_pair
from MedNCALib.io.segmentation_file import write_segmentation


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


# --- Labels by name ---

FRONT, BACK = Label(1, "front"), Label(2, "back")


def named_pair(folder, segments, values, name="a"):
    """A pair whose label file is a segmentation with these segments and these voxels."""
    pair = Pair(name, folder / f"{name}.nrrd", folder / f"{name}.seg.nrrd")
    labels = sitk.GetImageFromArray(np.array([[values]], np.uint8))
    sitk.WriteImage(sitk.Cast(labels, sitk.sitkInt16), str(pair.image))
    write_segmentation(pair.label, labels, segments)
    return pair


def values_of(image):
    return sitk.GetArrayFromImage(image).ravel().tolist()


def test_a_segmentation_goes_by_the_names_of_its_segments(tmp_path):
    pair = named_pair(tmp_path, [Label(1, "Back "), Label(7, "FRONT")], [0, 1, 7])
    assert values_of(read_pair(pair, (FRONT, BACK))[1]) == [0, 2, 1]
    assert values_of(read_pair(pair)[1]) == [0, 1, 7]


def test_a_label_image_without_names_goes_by_its_values(tmp_path):
    labels = sitk.GetImageFromArray(np.array([[[0, 1, 2]]], np.uint8))
    pair = written_pair(tmp_path, sitk.Cast(labels, sitk.sitkInt16), labels)
    assert values_of(read_pair(pair, (FRONT, BACK))[1]) == [0, 1, 2]


def test_a_name_that_the_model_does_not_have_is_refused(tmp_path):
    pair = named_pair(tmp_path, [Label(1, "front"), Label(2, "middle")], [0, 1, 2])
    with pytest.raises(ImageError, match=r"a\.seg\.nrrd has a segment 'middle', and the model knows 'front', 'back'"):
        read_pair(pair, (FRONT, BACK))


def test_a_segment_without_voxels_does_not_matter(tmp_path):
    pair = named_pair(tmp_path, [Label(1, "front"), Label(2, "middle")], [0, 1, 1])
    assert values_of(read_pair(pair, (FRONT, BACK))[1]) == [0, 1, 1]


def test_voxels_of_no_segment_are_refused(tmp_path):
    pair = named_pair(tmp_path, [Label(1, "front")], [0, 1, 9])
    with pytest.raises(ImageError, match="voxels of value 9 that no segment names"):
        read_pair(pair, (FRONT, BACK))


def test_segments_in_several_layers_are_refused(tmp_path):
    pair = named_pair(tmp_path, [FRONT, BACK], [0, 1, 2])
    layers = sitk.Compose([sitk.ReadImage(str(pair.label))] * 2)
    for number in range(2):
        for key, value in {"Name": "front", "LabelValue": "1", "Layer": str(number)}.items():
            layers.SetMetaData(f"Segment{number}_{key}", value)
    sitk.WriteImage(layers, str(pair.label))
    with pytest.raises(ImageError, match=r"a\.seg\.nrrd has segments in several layers"):
        read_pair(pair)


def test_names_of_all_files_become_labels_whatever_their_values(tmp_path):
    pairs = [
        named_pair(tmp_path, [Label(1, "front"), Label(2, "back")], [0, 1, 2], "a"),
        named_pair(tmp_path, [Label(1, "back"), Label(2, "front")], [0, 1, 2], "b"),
        named_pair(tmp_path, [Label(1, "middle"), Label(4, "Front")], [0, 1, 4], "c"),
    ]
    labels = labels_named_in(pairs)
    assert [(label.value, label.name) for label in labels] == [(1, "front"), (2, "back"), (3, "middle")]
    assert [values_of(read_pair(pair, labels)[1]) for pair in pairs] == [[0, 1, 2], [0, 2, 1], [0, 3, 1]]


def test_files_without_names_name_no_labels(tmp_path):
    labels = sitk.GetImageFromArray(np.array([[[0, 1, 2]]], np.uint8))
    assert labels_named_in([written_pair(tmp_path, labels, labels)]) == ()


def test_a_file_without_names_goes_with_others_only_if_their_values_agree(tmp_path):
    labels = sitk.GetImageFromArray(np.array([[[0, 1, 2]]], np.uint8))
    plain = written_pair(tmp_path, labels, labels)
    first = named_pair(tmp_path, [FRONT, BACK], [0, 1, 2], "b")
    other = named_pair(tmp_path, [Label(2, "front"), Label(1, "back")], [0, 1, 2], "c")
    assert labels_named_in([plain, first]) == (Label(1, "front"), Label(2, "back"))
    with pytest.raises(ImageError, match=r"a_labels\.nrrd does not name its labels"):
        labels_named_in([plain, first, other])


def test_axes_and_spacing_are_stated_for_both_files_and_their_notes_given_once(tmp_path):
    from support.nifti_files import VOXELS, nifti

    pair = Pair("a", tmp_path / "image.nii", tmp_path / "labels.nii")
    for path in (pair.image, pair.label):
        path.write_bytes(b"".join(nifti(VOXELS.astype(np.uint8), sform_code=0)))
    with pytest.warns(MedNCAWarning) as notes:
        read_pair(pair)
    assert len(notes) == 1
    image, labels = read_pair(pair, axes="LPS", spacing=(1, 1, 1))
    assert image.GetDirection() == labels.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    assert labels.GetSpacing() == (1, 1, 1)
