"""Classic series and enhanced files are checked alike, image by image: in order and right, or the first thing off."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.dicom_files import MULTIFRAME_CAPTURE, compressed, enhanced, image_file, pixels, series

from MedNCALib.errors import ImageError, MedNCAWarning
from MedNCALib.io.images import read_image

EXPECTED = np.stack([pixels(number) for number in range(5)])


def is_the_volume(image):
    assert np.array_equal(sitk.GetArrayFromImage(image), EXPECTED)
    assert image.GetSpacing() == pytest.approx((1.0, 1.5, 2.0))
    assert image.GetOrigin() == (10.0, -20.0, 0.0)
    assert image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    return True


@pytest.fixture(params=["classic", "enhanced"])
def volume(request, tmp_path):
    """Write a volume of five slices; `change` gives what is other in the slice of a number, by attribute."""

    def write(change=lambda number: {}, **common):
        if request.param == "classic":
            return series(tmp_path / "volume", change=change, **common)
        return enhanced(tmp_path / "volume.dcm", change=lambda number: grouped(change(number)), shared=grouped(common))

    return write


GROUPS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "FrameType": "MRImageFrameTypeSequence",
    "EffectiveEchoTime": "MREchoSequence",
    "TemporalPositionIndex": "FrameContentSequence",
    "DiffusionBValue": "MRDiffusionSequence",
}


def grouped(attributes):
    groups = {}
    for keyword, value in attributes.items():
        group = groups.setdefault(GROUPS[keyword], {})
        if value is not None:
            group[keyword] = value
    return groups


def refusal(path):
    with pytest.raises(ImageError) as refused:
        read_image(path)
    return str(refused.value)


# --- In order and right ---


def test_slices_come_in_the_order_of_their_positions(volume):
    assert is_the_volume(read_image(volume()))


@pytest.mark.parametrize("order", [[0, 2, 4, 1, 3], [4, 3, 2, 1, 0], [2, 0, 3, 1, 4]])
def test_frames_in_any_order_are_sorted(tmp_path, order):
    assert is_the_volume(read_image(enhanced(tmp_path / "volume.dcm", order=order)))


def test_every_image_is_scaled_as_it_says(volume):
    image = read_image(volume(lambda number: {"RescaleSlope": 1 + number / 4, "RescaleIntercept": -number}))
    expected = [slice_ * (1 + number / 4) - number for number, slice_ in enumerate(EXPECTED)]
    assert np.array_equal(sitk.GetArrayFromImage(image), expected)


def test_whole_numbers_stay_whole_and_fit_their_type(volume):
    image = read_image(volume(RescaleSlope=1, RescaleIntercept=-1024))
    assert image.GetPixelID() == sitk.sitkInt32  # from -1024 to 64511
    assert np.array_equal(sitk.GetArrayFromImage(image), EXPECTED.astype(int) - 1024)


def test_an_oblique_stack_keeps_its_directions_at_right_angles(volume):
    orientation = [0.8, 0.6, 0.0, -0.6, 0.8, 0.0001]  # as rounded as a scanner writes it
    image = read_image(volume(ImageOrientationPatient=orientation))
    direction = np.reshape(image.GetDirection(), (3, 3))
    assert direction[:, 0] == pytest.approx([0.8, 0.6, 0])
    assert direction.T @ direction == pytest.approx(np.eye(3), abs=1e-12)


def test_bits_beside_the_value_are_left_out(tmp_path):
    stored = EXPECTED | 0xF000  # an overlay, in files of old
    series(
        tmp_path / "s",
        change=lambda number: {"stored": stored[number], "BitsStored": 12, "HighBit": 11},
    )
    assert is_the_volume(read_image(tmp_path / "s"))


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int16, np.uint32, np.int32])
def test_every_way_to_store_whole_numbers_is_read(tmp_path, kind):
    series(tmp_path / "s", change=lambda number: {"stored": pixels(number).astype(kind) - (kind(0).dtype.kind == "i")})
    values = sitk.GetArrayFromImage(read_image(tmp_path / "s"))
    assert values.dtype == kind
    assert np.array_equal(values, EXPECTED.astype(int) - (np.dtype(kind).kind == "i"))


@pytest.mark.parametrize("compressor", ["JPEG", "JPEG2000"])
def test_compressed_pixels_are_decoded(tmp_path, compressor):
    stored = np.arange(32 * 32, dtype=np.uint16).reshape(32, 32)
    image = read_image(compressed(tmp_path / "v.dcm", stored, compressor))
    assert np.array_equal(sitk.GetArrayFromImage(image)[0], stored)
    assert image.GetSpacing() == (1.0, 1.5, 2.0)


def test_compressed_pixels_are_decoded_before_they_are_scaled(tmp_path):
    from pydicom import dcmread
    from pydicom.uid import RLELossless

    series(tmp_path / "s", RescaleSlope=1.5, RescaleIntercept=-3)
    for path in (tmp_path / "s").iterdir():
        dataset = dcmread(path)
        dataset.compress(RLELossless, generate_instance_uid=False)
        dataset.save_as(path)
    assert np.array_equal(sitk.GetArrayFromImage(read_image(tmp_path / "s")), EXPECTED * 1.5 - 3)


def test_files_without_a_preamble_are_read(tmp_path):
    assert is_the_volume(read_image(series(tmp_path / "s", preamble=False)))


def test_an_image_keeps_the_tags_that_say_what_it_shows(tmp_path):
    series(tmp_path / "s", BodyPartExamined="HEAD", EchoTime="2.98", RepetitionTime="2300", ScanningSequence="GR")
    image = read_image(tmp_path / "s")
    tags = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    assert tags == {
        "0008|0060": "MR",
        "0008|103e": "T1",
        "0018|0015": "HEAD",
        "0018|0020": "GR",
        "0018|0080": "2300",
        "0018|0081": "2.98",
    }
    image = read_image(enhanced(tmp_path / "e.dcm", shared={"MREchoSequence": {"EffectiveEchoTime": 90.0}}))
    assert image.GetMetaData("0018|0081") == "90"


def test_a_single_image_is_as_thick_as_it_says(tmp_path):
    assert read_image(series(tmp_path / "s", count=1)).GetSpacing() == (1.0, 1.5, 2.0)
    series(tmp_path / "gap", count=1, SpacingBetweenSlices=-3.0)
    assert read_image(tmp_path / "gap").GetSpacing() == (1.0, 1.5, 3.0)
    series(tmp_path / "thin", count=1, SliceThickness=None)
    with pytest.warns(MedNCAWarning, match="does not say how thick its one slice is: taken as 1 mm"):
        assert read_image(tmp_path / "thin").GetSpacing() == (1.0, 1.5, 1.0)


# --- One line that names the first thing that is off ---


def test_a_missing_position_is_named(volume):
    assert "does not say where all its images lie" in refusal(
        volume(lambda number: {"ImagePositionPatient": None if number == 3 else [0, 0, number]})
    )


@pytest.mark.parametrize("positions", [[0, 2, 4, 8, 10], [0, 2, 4, 6, 7]])
def test_a_gap_is_named(volume, positions):
    assert "has a gap" in refusal(volume(lambda number: {"ImagePositionPatient": [0, 0, positions[number]]}))


def test_slices_that_are_shifted_aside_are_named(volume):
    shifted = [0, 0, 15, 15, 0]
    text = refusal(volume(lambda number: {"ImagePositionPatient": [shifted[number], 0, 2 * number]}))
    assert "shifted against each other: slice 3 of 5" in text
    assert "15.00 mm aside" in text


def test_a_slanted_stack_is_named(volume):
    assert "slanted stack" in refusal(volume(lambda number: {"ImagePositionPatient": [0, 0.5 * number, 2 * number]}))


def test_different_directions_are_named(volume):
    turned = [0, 1, 0, 0, 0, -1]
    change = lambda number: {"ImageOrientationPatient": turned if number == 2 else [1, 0, 0, 0, 1, 0]}  # noqa: E731
    assert "point in different directions" in refusal(volume(change))


def test_axes_that_are_not_at_right_angles_are_named(volume):
    assert "not at right angles" in refusal(volume(ImageOrientationPatient=[1, 0, 0, 0.3, 0.95, 0]))


def test_different_pixel_sizes_are_named(volume):
    text = refusal(volume(lambda number: {"PixelSpacing": [1.5, 1.0] if number < 3 else [1.5, 1.1]}))
    assert "mixes pixel sizes: 1.5 x 1 mm" in text
    assert "1.5 x 1.1 mm" in text


@pytest.mark.parametrize("spacing", [None, "", [0, 0], [1.0, -1.0]])
def test_a_pixel_size_that_is_not_there_has_to_be_stated(volume, spacing):
    path = volume(PixelSpacing=spacing)
    assert "does not say how large its voxels are: Pixel Spacing is" in refusal(path)
    assert read_image(path, spacing=(1, 1.5, 2)).GetSpacing() == (1, 1.5, 2)


def test_a_pixel_size_at_the_detector_is_not_taken_for_the_patient_s(tmp_path):
    series(tmp_path / "s", PixelSpacing=None, ImagerPixelSpacing=[0.2, 0.2])
    assert "only Imager Pixel Spacing" in refusal(tmp_path / "s")


def test_scaling_of_some_images_only_is_named(volume):
    text = refusal(volume(lambda number: {"RescaleSlope": 2, "RescaleIntercept": 0} if number else {}))
    assert "scales the values of some images but not of all" in text


def test_scaling_by_nothing_is_named(volume):
    assert "scales its values by 0" in refusal(volume(RescaleSlope=0, RescaleIntercept=1))


@pytest.mark.parametrize(
    ("keyword", "values", "name"),
    [
        ("EffectiveEchoTime", (10.0, 20.0), "echo times: 10"),
        ("TemporalPositionIndex", (1, 2), "time points: 1"),
        ("FrameType", (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"]), "image types"),
        ("DiffusionBValue", (0.0, 1000.0), "b-values: 0"),
    ],
)
def test_frames_of_several_volumes_in_one_file_are_named(tmp_path, keyword, values, name):
    same_positions = iter([0, 0, 0, 1, 1, 1])
    path = enhanced(
        tmp_path / "after.dcm",
        order=[0, 1, 2, 0, 1, 2],
        change=lambda number: grouped({keyword: values[next(same_positions)]}),
    )
    assert f"mixes {name}" in refusal(path)
    path = enhanced(tmp_path / "between.dcm", change=lambda number: grouped({keyword: values[number % 2]}))
    assert f"mixes {name}" in refusal(path)


@pytest.mark.parametrize(
    ("keyword", "values", "name"),
    [
        ("EchoTime", ("2.1", "4.9"), "echo times: 2.1"),
        ("TemporalPositionIdentifier", (1, 2), "time points: 1"),
        ("ImageType", (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"]), "image types"),
        ("PatientID", ("A", "B"), "patients: A"),
        ("PatientName", ("A", "B"), "patients' names: A"),
        ("FrameOfReferenceUID", ("1.2", "1.3"), "frames of reference: 1.2"),
        ("Modality", ("MR", "CT"), "modalities: MR"),
        ("RescaleType", ("HU", "US"), "units: HU"),
    ],
)
def test_images_of_several_volumes_in_one_series_are_named(tmp_path, keyword, values, name):
    series(tmp_path / "s", change=lambda number: {keyword: values[number == 1]})
    assert f"mixes {name}" in refusal(tmp_path / "s")


@pytest.mark.filterwarnings("ignore:The PN component length")  # pydicom finds fault with them, too
def test_texts_of_a_damaged_header_are_cut_to_a_line(tmp_path):
    series(tmp_path / "s", change=lambda number: {"PatientID": "A" * 500 if number else "B\nC"})
    text = refusal(tmp_path / "s")
    assert "\n" not in text
    assert "A" * 64 + "..." in text
    assert "A" * 65 not in text


def test_images_of_different_sizes_are_named(tmp_path):
    series(tmp_path / "s", change=lambda number: {"stored": pixels(number, columns=6 + number // 4)})
    text = refusal(tmp_path / "s")
    assert "mixes sizes: 6 x 8 pixels" in text
    assert "7 x 8 pixels" in text


def test_images_at_one_position_are_named_with_what_differs(tmp_path):
    series(
        tmp_path / "s",
        count=6,
        change=lambda n: {"ImagePositionPatient": [0, 0, n % 3], "TriggerTime": 100 * (n // 3)},
    )
    text = refusal(tmp_path / "s")
    assert "several images at one position" in text
    assert "their trigger times differ" in text


def test_a_file_that_is_there_twice_is_called_a_copy_and_not_an_echo(tmp_path):
    series(tmp_path / "s")
    (tmp_path / "s" / "copy.dcm").write_bytes((tmp_path / "s" / "IM000.dcm").read_bytes())
    text = refusal(tmp_path / "s")
    assert "has one image twice: IM000.dcm and copy.dcm are copies" in text
    assert "echo" not in text


@pytest.mark.parametrize("kind", ["classic", "enhanced"])
def test_a_cine_of_one_slice_is_called_that_and_not_damaged(tmp_path, kind):
    if kind == "classic":
        path = series(tmp_path / "s", ImagePositionPatient=[0, 0, 0])
    else:
        path = enhanced(
            tmp_path / "cine.dcm",
            change=lambda number: grouped({"ImagePositionPatient": [0, 0, 0], "TemporalPositionIndex": number + 1}),
        )
    text = refusal(path)
    assert "shows one slice 5 times: a cine" in text
    assert "damaged" not in text


def test_many_frames_without_a_place_are_refused(tmp_path):
    image_file(tmp_path / "capture.dcm", EXPECTED, MULTIFRAME_CAPTURE, NumberOfFrames=5)
    assert "has 5 frames and does not say where they lie in the patient" in refusal(tmp_path / "capture.dcm")
    image_file(
        tmp_path / "nuclear.dcm", EXPECTED, NumberOfFrames=5, ImagePositionPatient=[0, 0, 0], PixelSpacing=[1, 1]
    )
    assert "has 5 frames and does not say where they lie in the patient" in refusal(tmp_path / "nuclear.dcm")
    image_file(tmp_path / "endless.dcm", EXPECTED, NumberOfFrames=2**31 - 1)
    assert "has 2147483647 frames" in refusal(tmp_path / "endless.dcm")


def test_frames_that_are_missing_are_noticed(tmp_path):
    enhanced(tmp_path / "few.dcm", stored=EXPECTED[:4])
    assert "damaged or cut short" in refusal(tmp_path / "few.dcm")
    enhanced(tmp_path / "undescribed.dcm", NumberOfFrames=6)
    assert "damaged or cut short" in refusal(tmp_path / "undescribed.dcm")


def test_colour_is_named(tmp_path):
    image_file(
        tmp_path / "photo.dcm",
        np.zeros((8, 18), np.uint8),
        SamplesPerPixel=3,
        Columns=6,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=0,
    )
    assert "3 values in each voxel" in refusal(tmp_path / "photo.dcm")


@pytest.mark.parametrize("bits", [{"BitsAllocated": 12}, {"BitsStored": 17}, {"HighBit": 3}, {"BitsAllocated": 1}])
def test_bits_that_cannot_be_are_refused(tmp_path, bits):
    series(tmp_path / "s", **bits)
    assert "bits for each pixel, which cannot be read" in refusal(tmp_path / "s")
