"""Three small collections in files, as a training on collections reads them, and a preset for them."""

import json

import numpy as np
import SimpleITK as sitk

from support.shared_data import REPOSITORY

SIZE = (22, 26, 24)  # voxels along L, P and S

# Where the bodies lie in the images, by the label value of heads, in voxels along S, P and L.
_CENTRES = {48: (12, 13, 6), 47: (12, 13, 16)}


def write_collections(root):
    """Write blocks whose two parts are known, heads of which the whole is known, and label maps without images.

    :return: the folder.
    """
    for number in range(4):
        _write_pair(root / "blocks", f"block_{number}", *_block(number))
        _write_pair(root / "heads", f"head{number}", *_head(number))
    (root / "maps").mkdir()
    for number in range(3):
        _write(root / "maps" / f"map_{number}.nii.gz", _map(number))
    return root


def collections_settings():
    """Of a preset for these folders, small enough to train in seconds."""
    path = REPOSITORY / "MedNCALib" / "training" / "presets" / "hippocampus-mr.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["architecture"].update(channels=16, hidden=24, filters=16, image_channels=3)
    settings["architecture"]["stages"] = [{"scale": 4, "steps": 5}, {"scale": 1, "steps": 3}]
    settings.update(canvas=[20, 24], crops=[None, [16, 16]], slice_size=[24, 28], batch_size=4)
    settings.update(ema_decay=0.9, learning_rate=0.01, batches=4, stage_starts=[0, 0.25])
    box = {"size": [[16, 18], [16, 20], [20, 24]], "shift": 2}
    validation = {"field_mm": [16, 18, 20], "shift": 1}
    settings["collections"] = [
        {
            "name": "blocks", "images": "blocks/images", "labels": "blocks/labels", "structures": [[1, 2]],
            "known": "parts", "protocol": 3, "subject": "\\d+$", "choosing": ["1"], "reporting": ["2"],
            "data": {"name": "Made-up blocks", "source": "a test", "licence": "CC0"},
            "batch": [
                {"slices": 1, "pool": 6, "drawing": {"size": None, "stripped": 0}},
                {
                    "slices": 1, "pool": 6, "protocol": -3, "votes": False,
                    "drawing": {"size": None, "stripped": 0, "margin": 1},
                },
            ],
        },
        {
            "name": "heads", "images": "heads/images", "labels": "heads/labels", "structures": [[48], [47]],
            "known": "whole", "protocol": -3, "choosing": ["head1"], "reporting": ["head2"], "validation": validation,
            "batch": [{"slices": 1, "pool": 6, "drawing": box}],
        },
        {
            "name": "maps", "labels": "maps", "structures": [[17]], "known": "whole", "protocol": -3,
            "subject": "\\d+$", "reporting": ["2"], "validation": {**validation, "draws": 2},
            "batch": [{"slices": 1, "pool": 6, "drawing": {**box, "t1_share": 1}}],
        },
    ]  # fmt: skip
    return settings


def _body(centre, radius):
    """A ball; its distance from the centre below 0 lies in front."""
    places = np.indices(SIZE[::-1]) - np.reshape(centre, (3, 1, 1, 1))
    return (places**2).sum(axis=0) <= radius**2, places[1] < 0


def _block(number):
    inside, front = _body((12, 13, 11), 6 + number % 2)
    labels = np.where(inside, np.where(front, 1, 2), 0)
    return _image(labels > 0, number), labels


def _head(number):
    labels = np.full(SIZE[::-1], 60)
    labels[:2] = 0
    for value, centre in _CENTRES.items():
        labels[_body(centre, 4 + number % 2)[0]] = value
    return _image(np.isin(labels, list(_CENTRES)), number), labels


def _map(number):
    labels = np.full(SIZE[::-1], 2)
    labels[_body((12, 13, 11), 5 + number)[0]] = 17
    labels[0], labels[-1] = 515, 0
    return labels.astype(np.float32)


def _image(bright, seed):
    noise = np.random.default_rng(seed).normal(0, 20, bright.shape)
    return (400 + 500 * bright + noise).astype(np.int16)


def _write_pair(folder, name, image, labels):
    for kind, voxels in (("images", image), ("labels", labels.astype(np.uint8))):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        _write(folder / kind / f"{name}.nii.gz", voxels)


def _write(path, voxels):
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(path))
