"""The synthetic sample."""

import slicer

from .volumes import volumeFromImage

PHANTOM_NAME = "MedNCA synthetic phantom"


def loadPhantom(**parameters):
    """Add the synthetic block of the medial temporal lobe as a volume node, show it in the slice views and return it.

    :param parameters: as for `MedNCALib.phantom.make_phantom`.
    """
    from MedNCALib.phantom import make_phantom

    volumeNode = volumeFromImage(make_phantom(**parameters).image, slicer.mrmlScene.GenerateUniqueName(PHANTOM_NAME))
    slicer.util.setSliceViewerLayers(background=volumeNode, fit=True)
    return volumeNode
