"""Sequences of volumes: four-dimensional files, their times, and what is refused."""

import gzip

import numpy as np
import pytest
import SimpleITK as sitk
from support.beating_heart import discs, image_of
from support.nifti_files import nifti

from MedNCALib.errors import ImageError, MedNCAWarning
from MedNCALib.io.frame_times import FrameTimes
from MedNCALib.io.image_sequence import ImageSequence, read_sequence, read_volumes
from MedNCALib.io.images import read_image
from MedNCALib.io.label_sequence import write_label_sequence

VOXELS = discs(frames=6, slices=4, size=8)


def four_dimensional(interval=1.0):
    image = sitk.JoinSeries([image_of(volume) for volume in VOXELS])
    image.SetSpacing((*image.GetSpacing()[:3], interval))
    return image


def nifti_file(path, **fields):
    path.write_bytes(b"".join(nifti(**fields)))
    return path


def assert_frames(sequence):
    assert isinstance(sequence, ImageSequence)
    assert len(sequence) == len(VOXELS)
    frames = list(sequence)
    assert len(frames) == len(VOXELS)
    for frame, volume in zip(frames, VOXELS):
        assert np.array_equal(sitk.GetArrayFromImage(frame), volume)
        assert frame.GetSpacing() == pytest.approx((1.5, 1.5, 8.0))
        assert frame.GetOrigin() == pytest.approx((-20.0, 30.0, 12.0))


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".mha"])
def test_the_frames_of_a_file_come_one_after_the_other_each_time(tmp_path, ending):
    sitk.WriteImage(four_dimensional(), str(tmp_path / f"cine{ending}"), useCompression=True)
    sequence = read_sequence(tmp_path / f"cine{ending}")
    assert_frames(sequence)
    assert_frames(sequence)
    assert sequence.times.sorted_by == "order in the file"


def nrrd(path, kinds="domain domain domain list", voxels=VOXELS, more="", directions=None):
    """As 3D Slicer writes a sequence: frames last or first."""
    last = kinds.startswith("domain")
    axes = "(1.5,0,0) (0,1.5,0) (0,0,8)"
    sizes = [8, 8, 4]
    header = (
        "NRRD0005\ntype: int16\ndimension: 4\nspace: left-posterior-superior\n"
        f"sizes: {' '.join(map(str, [*sizes, len(voxels)] if last else [len(voxels), *sizes]))}\n"
        f"space directions: {f'{axes} none' if last else f'none {axes}'}\n"
        f"kinds: {kinds}\nendian: little\nencoding: gzip\nspace origin: (-20,30,12)\n{more}\n"
    )
    stored = voxels if last else np.moveaxis(voxels, 0, -1)
    path.write_bytes(header.encode() + gzip.compress(np.ascontiguousarray(stored).astype("<i2").tobytes()))
    return path


@pytest.mark.parametrize("kinds", ["domain domain domain list", "list domain domain domain"])
def test_sequences_that_slicer_writes_are_read(tmp_path, kinds):
    number = 3 if kinds.startswith("domain") else 0
    units = ['""'] * 4
    units[number] = '"ms"'
    more = (
        f"units: {' '.join(units)}\naxis {number} index type:=numeric\n"
        f"axis {number} index values:=0 30.5 61 90 120 150\n"
    )
    sequence = read_sequence(nrrd(tmp_path / "cine.seq.nrrd", kinds, more=more))
    assert_frames(sequence)
    assert sequence.times.milliseconds == (0, 30.5, 61, 90, 120, 150)


def test_sequences_of_the_multivolume_importer_are_read(tmp_path):
    more = (
        "MultiVolume.FrameIdentifyingDICOMTagName:=TriggerTime\nMultiVolume.FrameIdentifyingDICOMTagUnits:=ms\n"
        "MultiVolume.FrameLabels:=0,40,80,120,160,200\n"
    )
    sequence = read_sequence(nrrd(tmp_path / "cine.nrrd", "list domain domain domain", more=more))
    assert_frames(sequence)
    assert sequence.times.milliseconds == (0, 40, 80, 120, 160, 200)


@pytest.mark.parametrize(
    "values", ["0 30 20 60 90 120", "0 30 60", "a b c d e f", "0 0 0 0 0 0"], ids=["back", "few", "names", "alike"]
)
def test_index_values_that_are_no_times_leave_the_frames_numbered(tmp_path, values):
    more = f'units: "" "" "" "ms"\naxis 3 index values:={values}\n'
    assert read_sequence(nrrd(tmp_path / "cine.nrrd", more=more)).times.milliseconds is None


@pytest.mark.parametrize("kinds", ["vector domain domain domain", "RGBA-color domain domain domain"])
def test_vectors_and_colours_are_no_frames(tmp_path, kinds):
    with pytest.raises(ImageError, match="values in each voxel"):
        read_volumes(nrrd(tmp_path / "colours.nrrd", kinds, VOXELS[:4]))


@pytest.mark.parametrize(("units", "interval"), [(2 + 8, 40_000.0), (2 + 16, 40.0), (2 + 24, 0.04), (2, None)])
def test_the_unit_of_time_of_nifti_counts(tmp_path, units, interval):
    path = nifti_file(
        tmp_path / "cine.nii", dim=(4, 4, 5, 2, 3, 1, 1, 1), xyzt_units=units, pixdim=(1, 1, 1, 2, 40, 0, 0, 0)
    )
    times = read_sequence(path).times.milliseconds
    assert times == (None if interval is None else pytest.approx((0, interval, 2 * interval)))


def test_a_fifth_axis_is_refused_as_before(tmp_path):
    path = nifti_file(tmp_path / "vectors.nii", dim=(5, 4, 5, 2, 1, 3, 1, 1))
    with pytest.raises(ImageError, match="is a sequence of 3 frames"):
        read_volumes(path)


def test_the_time_between_frames_can_be_stated(tmp_path):
    sitk.WriteImage(four_dimensional(), str(tmp_path / "cine.mha"))
    assert read_sequence(tmp_path / "cine.mha").times.milliseconds is None
    times = read_sequence(tmp_path / "cine.mha", interval_ms=40).times
    assert (times.milliseconds, times.sorted_by) == ((0, 40, 80, 120, 160, 200), "stated interval")
    with pytest.raises(ImageError, match=r"time between frames, -1 ms, is none"):
        read_sequence(tmp_path / "cine.mha", interval_ms=-1)


def test_axes_and_spacing_can_be_stated(tmp_path):
    sitk.WriteImage(four_dimensional(), str(tmp_path / "cine.nrrd"))
    with pytest.raises(ImageError, match="which way its axes point"):
        read_sequence(tmp_path / "cine.nrrd")
    frame = next(iter(read_sequence(tmp_path / "cine.nrrd", axes="LPS", spacing=(1, 2, 9))))
    assert frame.GetSpacing() == (1, 2, 9)
    assert np.array_equal(sitk.GetArrayFromImage(frame), VOXELS[0])


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".mha"])
def test_a_file_that_is_cut_short_is_refused(tmp_path, ending):
    path = tmp_path / f"cine{ending}"
    sitk.WriteImage(four_dimensional(), str(path), useCompression=ending != ".mha")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ImageError, match="damaged or cut short"):
        list(read_sequence(path))


def test_a_single_volume_stays_one(tmp_path):
    sitk.WriteImage(image_of(VOXELS[0]), str(tmp_path / "scan.nii"))
    assert isinstance(read_volumes(tmp_path / "scan.nii"), sitk.Image)
    with pytest.raises(ImageError, match="is one volume and no sequence"):
        read_sequence(tmp_path / "scan.nii")


def test_what_is_taken_by_a_rule_is_said_once(tmp_path):
    path = nifti_file(tmp_path / "cine.nii", dim=(4, 4, 5, 2, 3, 1, 1, 1), qform_code=0, sform_code=0)
    with pytest.warns(MedNCAWarning, match="which way its axes point") as caught:
        assert len(list(read_sequence(path))) == 3
    assert len(caught) == 1


# --- Labels of all frames ---


def labels():
    return [sitk.Cast(image_of((volume == 1100).astype(np.uint8)), sitk.sitkUInt8) for volume in VOXELS]


def test_labels_of_all_frames_are_one_file_with_the_geometry_and_the_times(tmp_path):
    path = tmp_path / "cine_heart.nii.gz"
    write_label_sequence(path, labels(), FrameTimes((0, 40, 80, 120, 160, 200)))
    written = sitk.ReadImage(str(path))
    assert np.array_equal(sitk.GetArrayFromImage(written), (VOXELS == 1100).astype(np.uint8))
    assert written.GetSpacing() == pytest.approx((1.5, 1.5, 8.0, 0.04))
    assert written.GetOrigin()[:3] == pytest.approx((-20.0, 30.0, 12.0))
    again = read_sequence(path)
    assert again.times.milliseconds == pytest.approx((0, 40, 80, 120, 160, 200))


def test_labels_of_frames_without_times_have_none(tmp_path):
    write_label_sequence(tmp_path / "l.nii.gz", labels(), FrameTimes())
    assert read_sequence(tmp_path / "l.nii.gz").times.milliseconds is None


def test_labels_keep_an_oblique_place(tmp_path):
    from support.brightness_model import rotation

    image = labels()[0]
    image.SetDirection(rotation().ravel().tolist())
    write_label_sequence(tmp_path / "l.nii.gz", [image, image], FrameTimes())
    frame = next(iter(read_sequence(tmp_path / "l.nii.gz")))
    assert frame.GetDirection() == pytest.approx(image.GetDirection(), abs=1e-5)


def test_labels_are_written_to_no_other_format(tmp_path):
    with pytest.raises(ImageError, match=r"ends with \.nii\.gz"):
        write_label_sequence(tmp_path / "l.nrrd", labels(), FrameTimes())


def test_a_sequence_is_still_no_single_image(tmp_path):
    sitk.WriteImage(four_dimensional(), str(tmp_path / "cine.nii"))
    with pytest.raises(ImageError, match="is a sequence of 6 frames"):
        read_image(tmp_path / "cine.nii")


def test_more_frames_than_can_be_are_refused_before_anything_is_read(tmp_path):
    sizes = {"version": 2, "dim": (4, 4, 5, 2, 10**9, 1, 1, 1), "pixdim": (1, 1, 1, 2, 40, 0, 0, 0), "xyzt_units": 18}
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_volumes(nifti_file(tmp_path / "endless.nii", **sizes))
