"""Compressed pixels that are not those of the file around them are refused before a decoder sees them."""

import numpy as np
import pydicom
import pytest
from support.dicom_files import compressed

from MedNCALib.errors import ImageError
from MedNCALib.io.images import read_image
from MedNCALib.io.jpeg_codestream import check_codestream

STORED = np.arange(10 * 11, dtype=np.uint16).reshape(10, 11)


@pytest.fixture(params=["JPEG", "JPEG2000"])
def codestream(request, tmp_path):
    dataset = pydicom.dcmread(compressed(tmp_path / "v.dcm", STORED, request.param))
    return dataset.PixelData[16:]


def test_a_codestream_of_the_image_is_let_pass(codestream):
    check_codestream(codestream, 11, 10, 16)


@pytest.mark.parametrize(("columns", "rows", "bits"), [(12, 10, 16), (11, 9, 16), (11, 10, 8), (10, 11, 16)])
def test_a_codestream_of_another_image_is_not(codestream, columns, rows, bits):
    with pytest.raises(ValueError, match="another image"):
        check_codestream(codestream, columns, rows, bits)


@pytest.mark.parametrize("data", [b"", b"\0\0\0\0", b"RLE or anything else"])
def test_what_is_no_codestream_is_let_pass(data):
    check_codestream(data, 11, 10, 16)


def test_a_scan_without_a_frame_is_refused():
    with pytest.raises(ValueError, match="no frame before the scan"):
        check_codestream(b"\xff\xd8\xff\xda\0\x08", 11, 10, 16)


def test_more_tiles_than_there_can_be_are_refused():
    header = bytes.fromhex("ff4fff51 0029 0000") + b"".join(
        number.to_bytes(4, "big") for number in (500, 500, 0, 0, 1, 1, 0, 0)
    )
    with pytest.raises(ValueError, match="tiles that cannot be"):
        check_codestream(header + b"\0\x01\x0f\x01\x01", 500, 500, 16)


@pytest.mark.parametrize(("at", "value"), [(4, 0), (4, 0x51), (7, 33), (8, 9), (9, 0x29)])
def test_a_coding_style_that_cannot_be_is_refused(tmp_path, at, value):
    data = pydicom.dcmread(compressed(tmp_path / "v.dcm", STORED, "JPEG2000")).PixelData[16:]
    style = bytearray(data[data.index(b"\xff\x52") :])
    style[at + 2 : at + 3] = bytes([value])
    style[at + 3 : at + 4] = bytes([value]) if at == 4 else style[at + 3 : at + 4]
    with pytest.raises(ValueError, match="a coding style that cannot be"):
        check_codestream(data[: data.index(b"\xff\x52")] + bytes(style), 11, 10, 16)


@pytest.mark.parametrize("compressor", ["JPEG", "JPEG2000"])
def test_fragments_that_reach_beyond_the_pixels_are_refused(tmp_path, compressor):
    path = compressed(tmp_path / "v.dcm", STORED, compressor)
    data = path.read_bytes()
    item = data.rindex(b"\xfe\xff\0\xe0")
    path.write_bytes(data[: item + 6] + b"\xff" + data[item + 7 :])
    with pytest.raises(ImageError, match="damaged"):
        read_image(path)


@pytest.mark.parametrize("compressor", ["JPEG", "JPEG2000"])
def test_a_file_whose_pixels_have_more_bits_than_fit_is_refused(tmp_path, compressor):
    path = compressed(tmp_path / "v.dcm", STORED, compressor)
    data = path.read_bytes()
    # The frame's precision, 16 bits: in JPEG 2000 less one, after the number of components.
    old, new = (
        (b"\xc3\0\x0b\x10", b"\xc3\0\x0b\x14") if compressor == "JPEG" else (b"\0\x01\x0f\x01", b"\0\x01\x13\x01")
    )
    changed = data.replace(old, new)
    assert changed != data
    path.write_bytes(changed)
    with pytest.raises(ImageError, match="damaged"):
        read_image(path)
