"""FreeSurfer's volumes, made by hand from the description of their format."""

import gzip
import struct

import numpy as np
import pytest
import SimpleITK as sitk

from MedNCALib.errors import ImageError, MedNCAWarning
from MedNCALib.io.images import read_image

VOXELS = np.arange(4 * 5 * 6).reshape(6, 5, 4)  # z, y, x: the first axis runs fastest
TYPES = {0: ">u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}


def mgh(
    kind=4, version=1, lengths=(4, 5, 6), frames=1, given=1, cosines=(-1, 0, 0, 0, 0, -1, 0, 1, 0), centre=(5, 6, 7)
):
    """A conformed volume: axes to the left, downwards and to the front; voxels of 1 x 2 x 3 mm."""
    header = struct.pack(">7ih15f", version, *lengths, frames, kind, 0, given, 1, 2, 3, *cosines, *centre)
    return header.ljust(284, b"\0") + VOXELS.astype(TYPES.get(kind, ">i2")).tobytes()


def refusal(path):
    with pytest.raises(ImageError) as refused:
        read_image(path)
    return str(refused.value)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", ["v.mgh", "v.mgz", "V.MGZ", "v.mgh.gz"])
def test_a_volume_lies_where_its_header_puts_it(tmp_path, kind, name):
    (tmp_path / name).write_bytes(mgh(kind) if name.endswith("mgh") else gzip.compress(mgh(kind)))
    image = read_image(tmp_path / name)
    assert np.array_equal(sitk.GetArrayFromImage(image), VOXELS)
    assert sitk.GetArrayFromImage(image).dtype == TYPES[kind][1:]
    assert image.GetSpacing() == (1, 2, 3)
    assert image.GetDirection() == (1, 0, 0, 0, 0, -1, 0, -1, 0)  # left, inferior, anterior in LPS
    # The centre, c_ras in FreeSurfer's words, is that of the voxel of half the lengths.
    assert image.TransformContinuousIndexToPhysicalPoint((2, 2.5, 3)) == pytest.approx((-5, -6, 7))


def test_a_volume_without_a_place_is_coronal_as_freesurfer_has_it_and_says_so(tmp_path):
    (tmp_path / "v.mgh").write_bytes(mgh(given=0, cosines=(0,) * 9))
    with pytest.warns(MedNCAWarning, match="does not say where it lies: taken as coronal slices of 1 mm"):
        image = read_image(tmp_path / "v.mgh")
    assert image.GetDirection() == (1, 0, 0, 0, 0, -1, 0, -1, 0)
    assert image.GetSpacing() == (1, 1, 1)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (mgh()[:200], "damaged or cut short"),
        (mgh()[:-1], "damaged or cut short"),
        (gzip.compress(mgh())[:-3], "damaged or cut short"),
        (mgh(version=2), "damaged"),
        (mgh(kind=7), "damaged"),
        (mgh(lengths=(4, -5, 6)), "damaged"),
        (mgh(lengths=(4, 0, 6)), "one of its dimensions is 0"),
        (mgh(lengths=(400, 500, 600)), "damaged or cut short"),
        (mgh(lengths=(4, 5, 3), frames=2), "is a sequence of 2 frames"),
        (mgh(cosines=(1, 0, 0, 0.5, 0.8, 0, 0, 0, 1)), "not at right angles"),
        (mgh(centre=(float("nan"), 0, 0)), "does not say where it lies"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, data, reason):
    (tmp_path / "v.mgz").write_bytes(data)
    assert reason in refusal(tmp_path / "v.mgz")
