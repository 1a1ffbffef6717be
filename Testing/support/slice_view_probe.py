"""What the slice views show, as numbers."""

import numpy as np


def layers():
    """Foreground and its opacity, background and label of each slice view."""
    import slicer

    views = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    return [
        (view.GetID(), view.GetForegroundVolumeID(), view.GetForegroundOpacity(), view.GetBackgroundVolumeID())
        for view in views
    ]


def pixels(host, path, **options):
    """The slice views as they are drawn, shape (rows, columns, 3)."""
    from PIL import Image

    host.sliceViewPicture(path, width=902, **options)
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def colored(picture, color):
    """Where a picture has a hue like this colour's."""
    color = np.array(color) / np.linalg.norm(color)
    lengths = np.linalg.norm(picture, axis=-1)
    saturated = np.ptp(picture, axis=-1) > 40
    return saturated & (picture @ color > 0.97 * lengths)
