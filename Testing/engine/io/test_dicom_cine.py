"""DICOM with several phases at each position: sorted by position and time, or refused with what is off."""

import numpy as np
import pytest
import SimpleITK as sitk
from support.beating_heart import BEAT_MS, cine_series, discs
from support.dicom_files import enhanced, image_file, pixels, series

from MedNCALib.errors import ImageError
from MedNCALib.io.image_sequence import read_sequence, read_volumes
from MedNCALib.io.images import read_image

FRAMES, SLICES = 6, 4
VOXELS = discs(FRAMES, SLICES, 8)
LONG_AXIS = {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1], "SeriesDescription": "two chamber"}


def refusal(path, **stated):
    with pytest.raises(ImageError) as refused:
        read_volumes(path, **stated)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def assert_frames(sequence, voxels=VOXELS):
    frames = list(sequence)
    assert len(sequence) == len(frames) == len(voxels)
    for frame, volume in zip(frames, voxels):
        assert np.array_equal(sitk.GetArrayFromImage(frame), volume)


# --- What is one cine ---


def test_a_folder_of_any_order_is_sorted_by_position_and_trigger_time(tmp_path):
    sequence = read_sequence(cine_series(tmp_path / "cine", VOXELS))
    assert_frames(sequence)
    frame = next(iter(sequence))
    assert frame.GetSpacing() == (1.5, 1.5, 8.0)
    assert frame.GetOrigin() == (-20.0, 30.0, 12.0)
    assert frame.GetMetaData("0008|0060") == "MR"
    assert sequence.times.sorted_by == "trigger times"
    mean = np.mean(range(SLICES))  # of what the breath-holds differ by
    assert sequence.times.milliseconds == pytest.approx([BEAT_MS / FRAMES * n + mean for n in range(FRAMES)], abs=1e-2)
    assert sequence.times.beat_ms is None


def test_one_series_a_slice_is_one_cine(tmp_path):
    folder = cine_series(tmp_path / "cine", VOXELS, series_of=lambda number: f"1.2.9.{number}")
    assert_frames(read_sequence(folder))
    assert len(list(read_sequence(folder, series="1.2.9.2"))) == FRAMES


def test_volumes_in_one_folder_stay_several_series(tmp_path):
    for uid in ("1.2.9.1", "1.2.9.2"):
        for path in series(tmp_path / uid, SeriesInstanceUID=uid).iterdir():
            path.rename(tmp_path / f"{uid}_{path.name}")
    assert "holds 2 DICOM series" in refusal(tmp_path)


def phase_groups(number):
    phase, position = divmod(number, SLICES)
    return {
        "PlanePositionSequence": {"ImagePositionPatient": [10.0, -20.0, 2.0 * position]},
        "FrameContentSequence": {"TemporalPositionIndex": phase + 1},
        "CardiacSynchronizationSequence": {
            "NominalCardiacTriggerDelayTime": 30.0 * phase,
            "RRIntervalTimeNominal": 750.0,
        },
    }


def test_an_enhanced_file_with_frames_in_any_order_is_a_cine(tmp_path):
    order = np.random.default_rng(0).permutation(3 * SLICES).tolist()
    path = enhanced(tmp_path / "cine.dcm", 3 * SLICES, order, phase_groups)
    sequence = read_sequence(path)
    assert_frames(sequence, [[pixels(SLICES * phase + number) for number in range(SLICES)] for phase in range(3)])
    assert sequence.times.milliseconds == (0, 30, 60)
    assert sequence.times.beat_ms == 750


def test_one_slice_is_a_cine_of_volumes_with_one_slice(tmp_path):
    sequence = read_sequence(cine_series(tmp_path / "cine", VOXELS[:, :1]))
    assert [frame.GetSize() for frame in sequence] == [(8, 8, 1)] * FRAMES


def test_temporal_positions_serve_if_there_are_no_trigger_times(tmp_path):
    def change(frame, number):
        return {"TriggerTime": None, "TemporalPositionIdentifier": frame + 1}

    sequence = read_sequence(cine_series(tmp_path / "cine", VOXELS, change=change))
    assert_frames(sequence)
    assert sequence.times.sorted_by == "temporal positions"
    assert sequence.times.milliseconds is None


def test_temporal_positions_serve_if_trigger_times_do_not_tell_phases_apart(tmp_path):
    def change(frame, number):
        return {"TriggerTime": 0, "TemporalPositionIdentifier": frame + 1}

    assert_frames(read_sequence(cine_series(tmp_path / "cine", VOXELS, change=change)))


@pytest.mark.parametrize(
    ("attributes", "beat_ms"),
    [({"NominalInterval": 900}, 900), ({"HeartRate": 75}, 800), ({"NominalInterval": 0, "HeartRate": 0}, None)],
)
def test_the_header_may_say_how_long_a_beat_is(tmp_path, attributes, beat_ms):
    folder = cine_series(tmp_path / "cine", VOXELS, change=lambda frame, number: attributes)
    assert read_sequence(folder).times.beat_ms == beat_ms


def test_each_image_is_scaled_as_it_says(tmp_path):
    def change(frame, number):
        return {"RescaleSlope": 1 + frame, "RescaleIntercept": -number}

    sequence = read_sequence(cine_series(tmp_path / "cine", VOXELS, change=change))
    scaled = [[(1 + frame) * VOXELS[frame, n].astype(int) - n for n in range(SLICES)] for frame in range(FRAMES)]
    assert_frames(sequence, scaled)


# --- What is refused, or left out if told so ---


def without_order(frame, number):
    return {"TriggerTime": None}


def test_images_that_nothing_puts_in_order_are_refused(tmp_path):
    text = refusal(cine_series(tmp_path / "cine", VOXELS, change=without_order))
    assert "several images at one position" in text
    assert "neither trigger times nor temporal positions" in text


def test_a_slice_without_all_phases_is_named_and_left_out_if_told_so(tmp_path):
    def change(frame, number):
        return None if (frame, number) == (2, SLICES - 1) else {}

    folder = cine_series(tmp_path / "cine", VOXELS, change=change)
    text = refusal(folder)
    assert f"has {FRAMES} phases, but not in every one of its {SLICES} slices: slice {SLICES} has {FRAMES - 1}" in text
    assert "--leave-out" in text
    sequence = read_sequence(folder, leave_out=True)
    assert_frames(sequence, VOXELS[:, :-1])
    assert "slice 4 has 5" in sequence.left_out[0]


def test_a_slice_in_the_middle_cannot_be_left_out(tmp_path):
    def change(frame, number):
        return None if (frame, number) == (2, 1) else {}

    folder = cine_series(tmp_path / "cine", VOXELS, change=change)
    assert "has a gap" in refusal(folder, leave_out=True)


def test_planes_that_do_not_belong_to_the_stack_are_named_and_left_out_if_told_so(tmp_path):
    folder = cine_series(tmp_path / "cine", VOXELS, series_of=lambda number: f"1.2.9.{number}")
    for frame in range(FRAMES):
        image_file(
            folder / f"LA{frame}", VOXELS[frame, 0], SOPInstanceUID=f"1.2.7.{frame}", SeriesInstanceUID="1.2.9.77",
            ImagePositionPatient=[0, 0, 0], PixelSpacing=[1.5, 1.5], TriggerTime=frame * 50, **LONG_AXIS,
        )  # fmt: skip
    text = refusal(folder)
    assert f"has {FRAMES} images whose planes do not belong to the stack (two chamber)" in text
    assert_frames(read_sequence(folder, leave_out=True))


def test_a_gap_in_all_phases_is_refused(tmp_path):
    folder = cine_series(tmp_path / "cine", VOXELS, change=lambda frame, number: None if number == 1 else {})
    assert "has a gap" in refusal(folder)


@pytest.mark.parametrize(
    ("keyword", "name"), [("PatientID", "patients"), ("EchoTime", "echo times"), ("ImageType", "image types")]
)
def test_images_of_several_kinds_are_refused(tmp_path, keyword, name):
    values = {"PatientID": ("A", "B"), "EchoTime": (1.0, 2.0), "ImageType": ("A", "B")}[keyword]
    folder = cine_series(tmp_path / "cine", VOXELS, change=lambda frame, number: {keyword: values[frame % 2]})
    assert f"mixes {name}" in refusal(folder)


def test_an_image_that_is_there_twice_is_refused(tmp_path):
    folder = cine_series(tmp_path / "cine", VOXELS)
    path = next(folder.iterdir())
    (folder / "copy").write_bytes(path.read_bytes())
    assert "has one image twice" in refusal(folder)


def test_a_damaged_file_is_named(tmp_path):
    folder = cine_series(tmp_path / "cine", VOXELS)
    path = sorted(folder.iterdir())[-1]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ImageError, match=f"{path.name} is damaged or cut short"):
        list(read_sequence(folder))


def test_a_cine_is_still_no_single_image(tmp_path):
    with pytest.raises(ImageError, match="several images at one position"):
        read_image(cine_series(tmp_path / "cine", VOXELS))


def test_a_volume_is_read_as_before(tmp_path):
    folder = series(tmp_path / "s")
    found, expected = read_volumes(folder), read_image(folder)
    assert np.array_equal(sitk.GetArrayFromImage(found), sitk.GetArrayFromImage(expected))
    assert found.GetDirection() == expected.GetDirection()
