"""Volumes over the beat: what is measured, over which slices, with what spread, and what is doubted."""

import json

import numpy as np
import pytest
from support.beating_heart import BEAT_MS, CHAMBER, discs, heart_model, image_of, volumes_ml
from support.brightness_model import rotation

from MedNCALib.errors import MedNCAError
from MedNCALib.imaging.labels import CodedConcept, Label
from MedNCALib.io.frame_times import FrameTimes
from MedNCALib.measurement.cardiac import ChamberVolumes, chamber_of, chamber_volumes
from MedNCALib.measurement.volume_curve import write_volume_picture, write_volume_table
from MedNCALib.segmentation.sequence import segment_sequence_steps
from MedNCALib.segmentation.steps import run_to_end

FRAMES = 8
TIMES = FrameTimes(tuple(BEAT_MS / FRAMES * number for number in range(FRAMES)))


def segmented(images, **options):
    return run_to_end(segment_sequence_steps(images, len(images), heart_model(), **options))


def beat_of(images, times=TIMES, slices=None, **options):
    return chamber_volumes(segmented(images, **options), heart_model(), times).measure(slices)


def chamber(volumes, times=TIMES):
    """A chamber of three slices, of which the middle one has it all."""
    found = np.zeros((len(volumes), 3))
    found[:, 1] = volumes
    return ChamberVolumes("cavity", found, None, times)


@pytest.mark.parametrize("spacing", [(1.5, 1.5, 8.0), (0.9, 1.1, 5.0)])
@pytest.mark.parametrize("direction", [None, rotation()], ids=["straight", "oblique"])
def test_the_figures_are_those_of_the_known_curve(spacing, direction):
    voxels = discs(FRAMES)
    truth = volumes_ml(voxels, spacing)
    beat = beat_of([image_of(volume, spacing, direction=direction) for volume in voxels])
    assert [volume.value for volume in beat.volumes] == pytest.approx(truth)
    assert (beat.ed_frame, beat.es_frame) == (0, FRAMES // 2)
    assert (beat.edv.value, beat.esv.value) == pytest.approx((truth[0], truth[4]))
    assert beat.stroke_volume.value == pytest.approx(truth[0] - truth[4])
    assert beat.ejection_fraction.value == pytest.approx(100 * (truth[0] - truth[4]) / truth[0])
    assert beat.heart_rate == pytest.approx(75)
    assert beat.cardiac_output.value == pytest.approx(beat.stroke_volume.value * 75 / 1000)
    assert beat.slices == (2, 4, 5)
    assert beat.warnings == ()


@pytest.mark.parametrize("axes", [(2, 0, 1), (1, 2, 0), (0, 2, 1)])
def test_slices_are_found_along_any_axis(axes):
    voxels = discs(FRAMES)
    images = [image_of(volume.transpose(axes), tuple(np.array((8.0, 1.5, 1.5))[list(axes)][::-1])) for volume in voxels]
    beat = beat_of(images, slices=(2, 3))
    assert [volume.value for volume in beat.volumes] == pytest.approx(volumes_ml(voxels[:, 1:3], (1.5, 1.5, 8.0)))


def test_the_order_of_frames_does_not_matter():
    images = [image_of(volume) for volume in discs(FRAMES)]
    order = [3, 0, 7, 1, 6, 2, 5, 4]
    there, back = beat_of(images).volumes, beat_of([images[number] for number in order]).volumes
    assert [there[number] for number in order] == list(back)


def test_one_pass_has_no_spread_and_several_have():
    images = [image_of(volume) for volume in discs(FRAMES)]
    assert beat_of(images).ejection_fraction.sd is None
    beat = beat_of(images, runs=3)  # a model whose passes agree
    assert beat.edv.sd == pytest.approx(0, abs=1e-9)
    assert beat.ejection_fraction.sd == pytest.approx(0, abs=1e-9)


def test_spread_is_that_of_the_passes_in_the_counted_slices():
    by_pass = np.zeros((2, 2, 3))
    by_pass[:, 0, 1], by_pass[:, 1, 1] = (100, 110), (50, 44)
    by_pass[:, :, 0] = 1000  # not counted
    found = by_pass.mean(axis=0)
    beat = ChamberVolumes("cavity", found, by_pass, FrameTimes()).measure((2, 3))
    assert beat.edv.sd == pytest.approx(np.std((100, 110), ddof=1))
    assert beat.esv.sd == pytest.approx(np.std((50, 44), ddof=1))
    assert beat.stroke_volume.sd == pytest.approx(np.std((50, 66), ddof=1))
    assert beat.ejection_fraction.sd == pytest.approx(np.std((50, 60), ddof=1))
    assert beat.heart_rate is None
    assert beat.cardiac_output is None


def test_passes_are_counted_by_the_slices_of_the_image():
    images = [image_of(volume[:, :, ::-1]) for volume in discs(1)]
    result = segmented(images, runs=2)[0]
    of_slices = (discs(1)[0] == 1100).sum(axis=(1, 2)) * 1.5 * 1.5 * 8 / 1000
    assert result.pass_slices[0, 1] == pytest.approx(of_slices)
    assert result.pass_slices.shape == (2, 2, 5)


def test_a_beat_of_the_header_counts_more_than_the_times():
    beat = chamber([100, 50], times=FrameTimes((0.0, 300.0), beat_ms=1000.0)).measure()
    assert beat.heart_rate == 60


# --- Slices ---


def test_proposed_are_the_slices_around_the_fullest_in_which_something_is_found():
    found = np.array([[0, 5, 9, 0, 1], [0, 0, 3, 0, 0]], float)
    volumes = ChamberVolumes("cavity", found, None, FrameTimes())
    assert volumes.proposed_slices == (2, 3)
    beat = volumes.measure()
    assert [volume.value for volume in beat.volumes] == [14, 3]
    assert any("Slices 5 show something apart from the rest" in text for text in beat.warnings)


@pytest.mark.parametrize("slices", [(0, 3), (2, 6), (3, 2)])
def test_slices_that_are_not_there_are_refused(slices):
    with pytest.raises(MedNCAError, match="choose from 1 to 3"):
        chamber([100, 50]).measure(slices)


# --- What is doubted ---


def test_a_stack_that_ends_within_the_chamber_is_doubted():
    beat = beat_of([image_of(volume) for volume in discs(FRAMES, empty=0)])
    assert len(beat.warnings) == 1
    assert "reaches the end of the stack (slice 1 and slice 5 of 5)" in beat.warnings[0]


def smooth(frames):
    return 80 + 40 * np.cos(2 * np.pi * np.arange(frames) / frames)


@pytest.mark.parametrize("frames", [3, 8, 20, 30])
def test_a_smooth_curve_is_not_doubted(frames):
    assert chamber(smooth(frames), times=FrameTimes()).measure().warnings == ()


@pytest.mark.parametrize(("frame", "jump"), [(3, 60), (0, -60), (10, 50)])
def test_a_frame_that_jumps_is_named(frame, jump):
    volumes = smooth(20)
    volumes[frame] += jump
    (warning,) = chamber(volumes, times=FrameTimes()).measure().warnings
    assert warning.startswith(f"Frame {frame + 1} jumps")


def test_a_volume_that_does_not_change_is_doubted():
    assert "are the same" in chamber([50.0] * 8).measure().warnings[0]


def test_nothing_found_is_said_and_has_no_ejection_fraction():
    beat = chamber([0.0] * 8).measure()
    assert beat.ejection_fraction is None
    assert beat.warnings == ("Nothing was found in any frame.",)
    json.dumps(beat.as_dict())


def test_times_that_cannot_be_a_beat_give_no_heart_rate():
    beat = chamber(smooth(8), times=FrameTimes(tuple(1000.0 * number for number in range(8)))).measure()
    assert beat.heart_rate is None
    assert "7.5 beats a minute, which cannot be" in beat.warnings[0]


# --- Which label, and what is written ---


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ((CHAMBER,), CHAMBER),
        ((Label(1, "left ventricular myocardium"), Label(2, "LV cavity")), "LV cavity"),
        ((Label(1, "Kammer", terminology={"region": CodedConcept("SCT", "87878005", "Left Ventricle")}),), "Kammer"),
        ((Label(1, "left lateral ventricle"),), None),
        ((Label(1, "prostate gland"),), None),
        ((CHAMBER, Label(1, "left ventricle")), None),
    ],
)
def test_the_chamber_is_the_one_label_of_the_left_ventricle(labels, found):
    label = chamber_of(labels)
    assert (label and label.name) == (found.name if isinstance(found, Label) else found)


def test_the_bundled_model_has_a_chamber():
    from MedNCALib import load_model

    assert chamber_of(load_model("left-ventricle-cine-mr").labels) is not None
    assert chamber_of(load_model("hippocampus-mr").labels) is None


def test_the_table_has_a_row_for_each_frame(tmp_path):
    write_volume_table(tmp_path / "v.csv", chamber(smooth(8)).measure())
    lines = (tmp_path / "v.csv").read_text().splitlines()
    assert lines[:3] == ["frame,time_ms,volume_ml,volume_sd_ml,mark", "1,0,120.000,,ED", "2,100,108.284,,"]
    assert lines[5] == "5,400,40.000,,ES"
    assert len(lines) == 9


@pytest.mark.parametrize("volumes", [smooth(8), [0.0, 0.0], [3.0]], ids=["curve", "nothing", "one frame"])
@pytest.mark.parametrize("times", [True, False])
def test_the_picture_is_drawn_for_any_curve(tmp_path, volumes, times):
    from PIL import Image

    known = FrameTimes(tuple(40.0 * number for number in range(len(volumes)))) if times else FrameTimes()
    write_volume_picture(tmp_path / "v.png", chamber(volumes, times=known).measure())
    with Image.open(tmp_path / "v.png") as picture:
        assert picture.size == (720, 420)
        assert len(picture.getcolors(1 << 20)) > 10
