"""Phantoms in files, as a training reads them."""

import SimpleITK as sitk

from MedNCALib import make_phantom


def write_phantoms(root, count, ending=".nrrd", **options):
    """Write so many phantoms, `case_0` and on, and their labels; options as of `make_phantom`.

    :return: folder of images, folder of labels.
    """
    folders = root / "images", root / "labels"
    for folder in folders:
        folder.mkdir()
    for seed in range(count):
        phantom = make_phantom(seed=seed, **options)
        for folder, image in zip(folders, (phantom.image, phantom.labels)):
            sitk.WriteImage(image, str(folder / f"case_{seed}{ending}"))
    return folders
