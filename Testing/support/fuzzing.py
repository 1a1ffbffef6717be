"""Inputs of every format, changed at random: reading one gives a result or a `MedNCAError`, and nothing else.

    python -m support.fuzzing FIRST COUNT FOLDER FORMAT...

reads COUNT inputs of each format, those of the seeds from FIRST on, in this process, so that a caller may survive what
this process does not. It prints format and seed of each input before reading it, and ends with code 1 at the first that
gives anything else. The last input of a format stays in a folder of its name in FOLDER.
"""

import gzip
import random
import re
import struct
import sys
import time
import traceback
import warnings
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from MedNCALib.errors import MedNCAError, MedNCAWarning
from MedNCALib.imaging.labels import Label
from MedNCALib.io.image_label_pairs import Pair, read_pair
from MedNCALib.io.image_sequence import ImageSequence, read_volumes
from MedNCALib.io.images import read_image
from MedNCALib.io.segmentation_file import write_segmentation
from MedNCALib.model.model import load_model
from MedNCALib.process_memory import peak_mb
from support.beating_heart import cine_series, discs
from support.dicom_files import compressed, enhanced, series
from support.nifti_files import nifti
from support.threshold_model import threshold_model

MOST_MEMORY_MB = 2000
MOST_SECONDS = 20
_VALUES = np.arange(9 * 10 * 11, dtype=np.int16).reshape(9, 10, 11) % 251
_STATED = {"axes": "RAS", "spacing": (1.0, 1.0, 1.0)}

# Numbers that headers should not have.
_BYTES = [b"\0", b"\xff", b"\x7f", b"\x80"]
_NUMBERS = [struct.pack(f"{order}{kind}", value) for order in "<>" for kind, value in (
    ("h", -1), ("h", 32767), ("i", -1), ("i", 2**31 - 1), ("q", 2**62), ("f", float("nan")), ("f", float("inf")),
    ("f", -1e30), ("d", float("nan")), ("d", 1e300), ("i", 0), ("d", 0.0),
)]  # fmt: skip
_WORDS = [b"0", b"-1", b"nan", b"inf", b"1e30", b"-1e-30", b"99999999999", b"", b"x", b"3.7", b"\xff", b"1 1", b"()"]


def _saved(name, image):
    def make(folder):
        sitk.WriteImage(image, str(folder / name), name.endswith(("nrrd", "mha")))
        return folder / name

    return make


def _bytes(name, data):
    def make(folder):
        (folder / name).write_bytes(data)
        return folder / name

    return make


def _cine(folder):
    return sorted(cine_series(folder / "cine", discs(3, 3, 8)).iterdir())[1]


def _phases(number):
    return {
        "PlanePositionSequence": {"ImagePositionPatient": [10.0, -20.0, 2.0 * (number % 3)]},
        "FrameContentSequence": {"TemporalPositionIndex": number // 3 + 1},
    }


def _classic(folder):
    return sorted(series(folder / "series", count=4).iterdir())[1]


def _segmentation(folder):
    labels = sitk.GetImageFromArray((_VALUES % 3).astype(np.uint8))
    sitk.WriteImage(sitk.Cast(labels, sitk.sitkInt16), str(folder / "image.nrrd"))
    write_segmentation(folder / "v.seg.nrrd", labels, (Label(1, "front"), Label(2, "back")))
    return folder / "v.seg.nrrd"


def _model(file):
    def make(folder):
        threshold_model().save(folder / "model")
        return folder / "model" / file

    return make


def _mgh():
    header = struct.pack(">7ih15f", 1, 11, 10, 9, 1, 4, 0, 1, 1, 1, 1, -1, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0, 0)
    return header.ljust(284, b"\0") + _VALUES.astype(">i2").tobytes()


def _read(path):
    read_image(path)


def _read_stated(path):
    read_image(path, **_STATED)


def _read_folder(path):
    read_image(path.parent)


def _read_frames(path):
    found = read_volumes(path)
    for _ in found if isinstance(found, ImageSequence) else ():
        pass


def _read_cine(path):
    _read_frames(path.parent)


def _load(path):
    load_model(path.parent)


def _read_labels(path):
    read_pair(Pair("v", path.parent / "image.nrrd", path), (Label(1, "front"), Label(2, "back")))


_IMAGE = sitk.GetImageFromArray(_VALUES)
_PICTURE = sitk.GetImageFromArray(_VALUES[0].astype(np.uint8))
_NIFTI = b"".join(nifti(_VALUES))
_SEQUENCE = sitk.JoinSeries([_IMAGE] * 3)
_SLICER_SEQUENCE = (
    b"NRRD0005\ntype: int16\ndimension: 4\nspace: left-posterior-superior\nsizes: 11 10 9 3\n"
    b"space directions: (1,0,0) (0,1,0) (0,0,1) none\nkinds: domain domain domain list\nendian: little\n"
    b'encoding: raw\nspace origin: (0,0,0)\nunits: "" "" "" "ms"\naxis 3 index values:=0 30 60\n\n'
) + _VALUES.tobytes() * 3

# Format: how to make a good file, and how to read it.
FORMATS = {
    "nifti": (_bytes("v.nii", _NIFTI), _read),
    "nifti-2": (_bytes("v.nii", b"".join(nifti(_VALUES, version=2))), _read),
    "nifti-packed": (_bytes("v.nii.gz", gzip.compress(_NIFTI, mtime=0)), _read),
    "mgh": (_bytes("v.mgh", _mgh()), _read),
    "mgz": (_bytes("v.mgz", gzip.compress(_mgh(), mtime=0)), _read),
    "nrrd": (_saved("v.nrrd", _IMAGE), _read),
    "nhdr": (_saved("v.nhdr", _IMAGE), _read),
    "metaimage": (_saved("v.mha", _IMAGE), _read),
    "mhd": (_saved("v.mhd", _IMAGE), _read),
    "vtk": (_saved("v.vtk", _IMAGE), _read_stated),
    "gipl": (_saved("v.gipl", _IMAGE), _read_stated),
    "tiff-stack": (_saved("v.tif", _IMAGE), _read_stated),
    "bmp": (_saved("v.bmp", _PICTURE), _read),
    "png": (_saved("v.png", _PICTURE), _read),
    "jpeg": (_saved("v.jpg", _PICTURE), _read),
    "dicom-classic": (_classic, _read_folder),
    "dicom-file": (_classic, _read),
    "dicom-jpeg": (lambda folder: compressed(folder / "v.dcm", _VALUES[0], "JPEG"), _read),
    "dicom-jpeg-2000": (lambda folder: compressed(folder / "v.dcm", _VALUES[0], "JPEG2000"), _read),
    "dicom-enhanced": (lambda folder: enhanced(folder / "v.dcm"), _read),
    "sequence-nifti": (_saved("v.nii", _SEQUENCE), _read_frames),
    "sequence-nifti-packed": (_saved("v.nii.gz", _SEQUENCE), _read_frames),
    "sequence-metaimage": (_saved("v.mha", _SEQUENCE), _read_frames),
    "sequence-nrrd": (_bytes("v.seq.nrrd", _SLICER_SEQUENCE), _read_frames),
    "cine-classic": (_cine, _read_cine),
    "cine-enhanced": (lambda folder: enhanced(folder / "v.dcm", 9, change=_phases), _read_frames),
    "labels": (_segmentation, _read_labels),
    "card.json": (_model("card.json"), _load),
    "labels.csv": (_model("labels.csv"), _load),
    "weights.npz": (_model("weights.npz"), _load),
}


def changed(data: bytes, rng: random.Random) -> bytes:
    """Data with a few changes: bytes, numbers, words, pieces; more of them at the start, where headers are."""
    unpacked = data[:2] == b"\x1f\x8b" and rng.random() < 0.8
    result = bytearray(gzip.decompress(data) if unpacked else data)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 10])):
        _change(result, rng)
    return gzip.compress(bytes(result), 1, mtime=0) if unpacked else bytes(result)


def _change(data: bytearray, rng: random.Random) -> None:
    if not data:
        return
    at = rng.randrange(len(data) if rng.random() < 0.3 else min(len(data), rng.choice([16, 128, 400, 1000])))
    kind = rng.randrange(7)
    if kind == 0:
        data[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        piece = rng.choice(_BYTES) * rng.choice([1, 2, 4, 16])
        data[at : at + len(piece)] = piece
    elif kind == 2:
        piece = rng.choice(_NUMBERS)
        at -= at % rng.choice([1, 2, 4])
        data[at : at + len(piece)] = piece
    elif kind == 3:
        words = list(re.finditer(rb"-?[0-9][0-9.eE+-]*|[A-Za-z_-]{3,}", data[:2000]))
        if words:
            word = rng.choice(words)
            data[word.start() : word.end()] = rng.choice(_WORDS)
    elif kind == 4:
        del data[at : at + rng.choice([1, 2, 4, 100, len(data)])]
    elif kind == 5:
        data[at:at] = data[at : at + rng.choice([1, 4, 50])]
    else:
        other = rng.randrange(len(data))
        piece = data[other : other + rng.choice([2, 8, 40])]
        data[at : at + len(piece)] = piece


def main(first: int, count: int, folder: Path, names: list[str]) -> int:
    for name in names:
        (folder / name).mkdir()
        if not is_read(name, first, count, folder / name):
            return 1
    return 0


def is_read(name: str, first: int, count: int, folder: Path) -> bool:
    """Whether each input of a format gives what it may."""
    make, read = FORMATS[name]
    path = make(folder)
    good = path.read_bytes()
    read(path)
    for seed in range(first, first + count):
        print(name, seed, flush=True)
        path.write_bytes(changed(good, random.Random(f"{name} {seed}")))
        started = time.monotonic()
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                read(path)
        except MedNCAError as error:
            if "\n" in str(error):
                print(f"more than one line: {error}")
                return False
        except BaseException:
            traceback.print_exc()
            return False
        others = [str(note.message) for note in caught if not issubclass(note.category, MedNCAWarning)]
        if others:
            print(f"warnings: {others}")
            return False
        seconds, memory = time.monotonic() - started, peak_mb() or 0
        if seconds > MOST_SECONDS or memory > MOST_MEMORY_MB:
            print(f"{seconds:.1f} s, {memory:.0f} MB")
            return False
    return True


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]))
