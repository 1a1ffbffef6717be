"""The demo in the stand-in application."""

from pathlib import Path

from support.brightness_model import boxes_image, brightness_model
from support.scene_assertions import labels_of


def test_a_second_demo_lies_in_a_folder_of_the_first(host, tmp_path, monkeypatch):
    """Named from where the demo is started, though a saved scene changes where relative names begin."""
    from tools import host_demo

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDNCA_MODELS", str(tmp_path / "models"))
    image, model = boxes_image(), brightness_model(tmp_path / "models")
    for folder in (Path("demo"), Path("demo", "head")):
        host_demo.run(folder, "block", image, labels_of(image), model)
        host.reset()
        written = {path.name for path in folder.iterdir() if path.is_file()}
        assert {"block_segmentation.seg.nrrd", "block_scene.mrb", "panel.png", "growth.gif"} <= written
