"""The demo in the stand-in application."""

from pathlib import Path

from MedNCALib import load_model, make_phantom


def test_a_second_demo_lies_in_a_folder_of_the_first(host, tmp_path, monkeypatch):
    """Named from where the demo is started, though a saved scene changes where relative names begin."""
    from tools import host_demo

    monkeypatch.chdir(tmp_path)
    phantom, model = make_phantom(size=(24, 30, 24)), load_model("hippocampus-mr")
    for folder in (Path("demo"), Path("demo", "head")):
        host_demo.run(folder, "block", phantom.image, phantom.labels, model)
        host.reset()
        written = {path.name for path in folder.iterdir() if path.is_file()}
        assert {"block_segmentation.seg.nrrd", "block_scene.mrb", "panel.png", "growth.gif"} <= written
