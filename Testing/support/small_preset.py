"""A preset that trains on phantoms in seconds."""

import json

from support.shared_data import REPOSITORY


def write_small_preset(path, **changes):
    """Write settings for sagittal slices of phantoms of 8 x 40 x 28 voxels; the file's name."""
    presets = REPOSITORY / "MedNCALib" / "training" / "presets"
    settings = json.loads((presets / "hippocampus-mr.json").read_text(encoding="utf-8"))
    settings["architecture"].update(hidden=32, stages=[{"scale": 4, "steps": 6}, {"scale": 1, "steps": 4}])
    settings["preprocessing"]["spacing"] = [1.5, 1.5, 2.0]
    settings.update(
        canvas=[28, 40], crops=[None, [16, 24]], batch_size=8, phantoms=0, ema_decay=0.9, learning_rate=0.01
    )
    settings.update(augmentation={"rotation": 5, "scale": 1.1, "chance": 0.1}, restart=0)
    settings.update(final_phase=0, final_phase_augmentation={}, foreground_share=0.25, collections=[])
    path.write_text(json.dumps({**settings, **changes}), encoding="utf-8")
    return str(path)
