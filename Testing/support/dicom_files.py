"""Small DICOM files of any kind: classic series, one file an image, and enhanced ones with many frames."""

import warnings

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

MR, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
MULTIFRAME_CAPTURE = "1.2.840.10008.5.1.4.1.1.7.3"


def pixels(value, rows=8, columns=6):
    """An image whose values tell it from others, and rows from columns."""
    return (np.arange(rows * columns, dtype=np.uint16).reshape(rows, columns) % 7) + 10 * value


def image_file(path, stored, sop_class=MR, preamble=True, syntax=ExplicitVRLittleEndian, **attributes):
    """Write an image; attributes of the value None are left out."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(syntax)
    meta.MediaStorageSOPClassUID = UID(sop_class)
    dataset = FileDataset("", {}, file_meta=meta if preamble else None, preamble=bytes(128) if preamble else None)
    stored = np.asarray(stored)
    values = {
        "SOPClassUID": sop_class,
        "SOPInstanceUID": "1.2.3.4.1",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.4",
        "SeriesDescription": "T1",
        "FrameOfReferenceUID": "1.2.3.5",
        "PatientID": "PHANTOM",
        "Modality": "MR",
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": stored.shape[-2],
        "Columns": stored.shape[-1],
        "BitsAllocated": 8 * stored.itemsize,
        "BitsStored": 8 * stored.itemsize,
        "HighBit": 8 * stored.itemsize - 1,
        "PixelRepresentation": int(stored.dtype.kind == "i"),
        "PixelData": stored.tobytes(),
        **attributes,
    }
    with warnings.catch_warnings():
        # Of values that the standard forbids, and of the one way to write a file that all versions of pydicom know.
        warnings.simplefilter("ignore")
        for keyword, value in values.items():
            if value is not None:
                setattr(dataset, keyword, value)
        dataset.is_little_endian, dataset.is_implicit_VR = True, False
        dataset.save_as(path)


def compressed(path, stored, compressor):
    """Write a classic file whose pixels ITK packs: with "JPEG" (lossless) or "JPEG2000"."""
    image = sitk.GetImageFromArray(np.asarray(stored)[None])
    image.SetSpacing((1.0, 1.5, 2.0))
    tags = {
        "0008|0008": "ORIGINAL\\PRIMARY",
        "0008|0016": MR,
        "0008|0060": "MR",
        "0018|0050": "2",
        "0020|0032": "10\\-20\\0",
        "0020|0037": "1\\0\\0\\0\\1\\0",
    }
    for tag, value in tags.items():
        image.SetMetaData(tag, value)
    writer = sitk.ImageFileWriter()
    writer.SetFileName(str(path))
    writer.UseCompressionOn()
    writer.SetCompressor(compressor)
    writer.Execute(image)
    return path


def series(folder, count=5, change=lambda number: {}, **attributes):
    """Write a classic series of axial slices, 1.5 by 1 mm large and 2 mm apart, in files that are named out of order.

    Args:
        change: attributes of the slice of a number, in place of the others.
    """
    folder.mkdir(exist_ok=True)
    for number in range(count):
        values = {
            "SOPInstanceUID": f"1.2.3.4.{number + 1}",
            "ImagePositionPatient": [10.0, -20.0, 2.0 * number],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "PixelSpacing": [1.5, 1.0],
            "SliceThickness": 2.0,
            **attributes,
            **change(number),
        }
        stored = values.pop("stored", pixels(number))
        image_file(folder / f"IM{number * 7 % count:03d}.dcm", stored, **values)
    return folder


def enhanced(path, count=5, order=None, change=lambda number: {}, shared=None, **attributes):
    """Write an enhanced file of axial frames, as `series`.

    Args:
        order: numbers of the frames as they lie in the file.
        change: functional groups of the frame of a number, in place of the others: sequence keyword to attributes.
        shared: functional groups of all, in place of the usual.
    """
    order = list(range(count)) if order is None else order
    common = {
        "PlaneOrientationSequence": {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
        "PixelMeasuresSequence": {"PixelSpacing": [1.5, 1.0], "SliceThickness": 2.0},
        **(shared or {}),
    }
    frames = [
        {"PlanePositionSequence": {"ImagePositionPatient": [10.0, -20.0, 2.0 * number]}, **change(number)}
        for number in order
    ]
    image_file(
        path,
        **{
            "stored": np.stack([pixels(number) for number in order]),
            "sop_class": ENHANCED_MR,
            "NumberOfFrames": len(order),
            "SharedFunctionalGroupsSequence": [_groups(common)],
            "PerFrameFunctionalGroupsSequence": [_groups(groups) for groups in frames],
            **attributes,
        },
    )
    return path


def _groups(groups):
    dataset = Dataset()
    for sequence, attributes in groups.items():
        if attributes is None:
            continue
        item = Dataset()
        for keyword, value in attributes.items():
            setattr(item, keyword, value)
        setattr(dataset, sequence, [item])
    return dataset
