"""A beating heart: bright discs in dark tissue, whose volume in each frame is known to the voxel."""

import numpy as np
import SimpleITK as sitk

from MedNCALib.imaging.labels import Label
from support.dicom_files import image_file
from support.threshold_model import threshold_model

CHAMBER = Label(2, "left ventricle cavity", (216, 101, 79))
OTHER = Label(1, "other", (128, 174, 128))
BEAT_MS = 800.0


def heart_model(**card):
    """Finds the bright voxels of a beating heart, to the voxel."""
    return threshold_model("heart", axes="acquired", labels=(OTHER, CHAMBER), **card)


def discs(frames=8, slices=5, size=32, empty=1):
    """Voxels of each frame, shape (frames, slices, rows, columns): 100 for tissue, 600 for air, 1100 in the chamber.

    Args:
        frames: number of frames; the first is end-diastole, the middle one end-systole.
        slices: number of slices, of which as many as `empty` at either end show no chamber.
    """
    z, y, x = np.mgrid[:slices, :size, :size]
    voxels = np.full((frames, slices, size, size), 100, np.int16)
    voxels[:, :, :2, :2] = 600
    inside = (z >= empty) & (z < slices - empty)
    for frame in range(frames):
        radius = (0.3 + 0.06 * np.cos(2 * np.pi * frame / frames)) * size * (1 - z / (2.5 * slices))
        voxels[frame][inside & ((y - size / 2) ** 2 + (x - size / 2 + 0.5) ** 2 < radius**2)] = 1100
    return voxels


def chest(phase, slices=8, size=128, seed=0):
    """Short-axis slices of a drawn chest, which the bundled model of the left ventricle finds its way in.

    Args:
        phase: share of the beat, 0 is end-diastole.
        slices: number of slices, base first.
        size: rows and columns.
        seed: of the noise.

    Returns:
        Voxels, int16, shape (slices, rows, columns).
    """
    z, y, x = np.mgrid[:slices, :size, :size].astype(float) * [[[[1]]], [[[128 / size]]], [[[128 / size]]]]

    def ellipse(row, column, height, width):
        return ((y - row) / height) ** 2 + ((x - column) / width) ** 2 < 1

    taper = 1 - z / (1.6 * slices)
    cavity = (8.5 + 2 * np.cos(2 * np.pi * phase)) * taper
    wall = (15 - 0.3 * np.cos(2 * np.pi * phase)) * (0.45 + 0.55 * taper)
    regions = (
        (ellipse(66, 64, 44, 58), 330),  # fat
        (ellipse(66, 64, 38, 51), 90),  # muscle
        (ellipse(66, 36, 24, 17) | ellipse(66, 98, 24, 17), 20),  # lungs
        (ellipse(60, 66, 22 * (0.5 + 0.5 * taper), 22 * (0.5 + 0.5 * taper)), 130),
        (ellipse(58, 56, 11 * taper, 11 * taper), 300),  # right ventricle
        (ellipse(62, 72, wall, wall), 90),
        (ellipse(62, 72, cavity, cavity), 330),
    )
    voxels = np.full(z.shape, 15.0)
    for inside, brightness in regions:
        voxels[inside] = brightness
    return (voxels + np.random.default_rng(seed).normal(0, 12, voxels.shape)).astype(np.int16)


def volumes_ml(voxels, spacing):
    """The volume of the chamber in each frame."""
    return (voxels == 1100).sum(axis=(1, 2, 3)) * float(np.prod(spacing)) / 1000


def image_of(voxels, spacing=(1.5, 1.5, 8.0), origin=(-20.0, 30.0, 12.0), direction=None):
    """A volume of one frame."""
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    if direction is not None:
        image.SetDirection(np.ravel(direction).tolist())
    return image


def cine_series(
    folder, voxels, spacing=(1.5, 1.5, 8.0), series_of=lambda number: "1.2.3.4", change=lambda frame, number: {}
):
    """Write a cine as classic DICOM, one file an image, in files that are named out of order.

    Args:
        voxels: of each frame.
        series_of: UID of the series of a slice.
        change: attributes of the image of a frame and slice, in place of the others; None leaves it out.
    """
    folder.mkdir(exist_ok=True)
    count = len(voxels)
    for frame, volume in enumerate(voxels):
        for number, plane in enumerate(volume):
            changed = change(frame, number)
            if changed is None:
                continue
            values = {
                "SOPInstanceUID": f"1.2.3.4.{frame}.{number}",
                "SeriesInstanceUID": series_of(number),
                "SeriesDescription": "short axis",
                "ImagePositionPatient": [-20.0, 30.0, 12.0 + spacing[2] * number],
                "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
                "PixelSpacing": [spacing[1], spacing[0]],
                "SliceThickness": spacing[2],
                "TriggerTime": round(BEAT_MS / count * frame + number, 3),  # breath-holds are not alike
                **changed,
            }
            stored = values.pop("stored", plane)
            image_file(folder / f"IM{(frame * len(volume) + number) * 37 % 1009:04d}", stored, **values)
    return folder


def multi_volume(voxels, unit="ms", tag="TriggerTime", **place):
    """A multi-volume node as the MultiVolume importer makes it from DICOM, in the scene.

    Args:
        voxels: of each frame.
        unit, tag: what the frames are sorted by.
        place: of the image, see `image_of`.
    """
    import slicer
    import vtk
    from MedNCAScene.inputs.geometry import ijkToRasOfImage
    from vtk.util.numpy_support import numpy_to_vtk

    times = [BEAT_MS / len(voxels) * number for number in range(len(voxels))]
    image_data = vtk.vtkImageData()
    image_data.SetDimensions(voxels.shape[:0:-1])
    values = numpy_to_vtk(np.moveaxis(voxels, 0, -1).reshape(-1, len(voxels)), deep=True)
    image_data.GetPointData().SetScalars(values)
    node = slicer.vtkMRMLMultiVolumeNode()
    node.SetAndObserveImageData(image_data)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijkToRasOfImage(image_of(voxels[0], **place))))
    node.SetNumberOfFrames(len(voxels))
    node.SetName("cine MultiVolume")
    for name, value in importer_attributes(times, unit, tag).items():
        node.SetAttribute(name, value)
    return slicer.mrmlScene.AddNode(node)


def importer_attributes(times, unit="ms", tag="TriggerTime"):
    """What the MultiVolume importer notes on a multi-volume, and on the sequence that it makes of one."""
    return {
        "MultiVolume.NumberOfFrames": str(len(times)),
        "MultiVolume.FrameLabels": ",".join(f"{time}" for time in times),
        "MultiVolume.FrameIdentifyingDICOMTagName": tag,
        "MultiVolume.FrameIdentifyingDICOMTagUnits": unit,
    }


def add_cine(voxels, unit="ms", indices=None, **place):
    """A sequence of volumes as the Sequences module loads it: the volume that plays it, and the browser.

    Args:
        voxels: of each frame.
        unit: of the index.
        indices: of the frames; None for times over a beat.
        place: of the image, see `image_of`.
    """
    import slicer

    from support.scene_assertions import add_volume

    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "cine")
    sequence.SetIndexUnit(unit)
    for number, volume in enumerate(voxels):
        frame = add_volume(image_of(volume, **place), "frame")
        index = f"{BEAT_MS / len(voxels) * number:g}" if indices is None else indices[number]
        sequence.SetDataNodeAtValue(frame, index)
        slicer.mrmlScene.RemoveNode(frame.GetDisplayNode())
        slicer.mrmlScene.RemoveNode(frame)
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    return browser.GetProxyNode(sequence), browser
