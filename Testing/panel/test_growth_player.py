"""Growth in the panel: tick Keep, click Segment, play, slide, loop, export."""

import numpy as np
import pytest
from support.panel_driver import cancel_at_step, choose_model, node_ids, segment, tick
from support.scene_assertions import add_volume
from support.slice_view_probe import colored, layers

ORANGE = (230, 159, 0)


@pytest.fixture
def kept(host, panel, volume_node):
    """A panel that has kept the four steps of a run."""
    tick(host, panel.ui.keepGrowthCheckBox)
    segment(host, panel)
    return panel


def browser(panel):
    return panel.logic.getParameterNode().growthBrowser


def play_until(host, is_done):
    """As the application's own timer does while a sequence is played: on a slow machine it leaves steps out."""
    import time

    import slicer

    end = time.monotonic() + 300
    while not is_done():
        assert time.monotonic() < end, "still not done after five minutes"
        slicer.modules.sequences.logic().UpdateAllProxyNodes()
        host.processEvents(0.01)


def test_player_is_off_as_long_as_nothing_was_kept(host, panel, volume_node):
    segment(host, panel)
    for name in ("playButton", "stepSlider", "loopCheckBox", "speedSpinBox", "growthOverlayCheckBox", "exportButton"):
        assert not getattr(panel.ui, name).enabled
    assert panel.ui.stepLabel.text == ""


def test_speed_that_is_shown_before_is_what_kept_steps_begin_with(host, panel, volume_node):
    import slicer

    before = panel.ui.speedSpinBox.value
    tick(host, panel.ui.keepGrowthCheckBox)
    segment(host, panel)
    assert browser(panel).GetPlaybackRateFps() == pytest.approx(before)
    panel.ui.speedSpinBox.setValue(3)
    slicer.mrmlScene.RemoveNode(browser(panel))
    assert panel.ui.speedSpinBox.value == before


def test_what_to_keep_is_listed_for_the_model(panel, volume_node):
    box = panel.ui.growthViewComboBox
    assert [box.itemText(index) for index in range(box.count)] == [
        "All labels",
        "Probability of anterior hippocampus (%)",
        "Probability of posterior hippocampus (%)",
        "When it settled (step)",
    ]
    choose_model(panel, "hippocampus-mr")
    assert box.itemText(box.count - 1) == "Hidden channel 22"  # 32 channels less 7 of the image and 3 outputs


def test_memory_is_said_before_the_run_and_follows_the_cap(host, panel):
    from support.brightness_model import boxes_image

    panel.ui.inputSelector.setCurrentNode(add_volume(boxes_image((100, 100, 100))))
    assert not panel.ui.growthEstimateLabel.visible
    tick(host, panel.ui.keepGrowthCheckBox)
    assert panel.ui.growthEstimateLabel.text == "Keeps all 4 steps: 4.0 MB."
    panel.ui.growthMegabytesSpinBox.setValue(3)
    assert panel.ui.growthEstimateLabel.text == "Keeps 3 of 4 steps: 3.0 MB."
    panel.ui.growthViewComboBox.setCurrentIndex(3)
    assert panel.ui.growthEstimateLabel.text == "Keeps one volume: 2.0 MB."


def test_slider_shows_the_step_in_the_slice_views(host, kept):
    import slicer

    assert kept.ui.stepSlider.maximum == 3
    assert kept.ui.stepLabel.text == "Step 4 of 4"
    kept.ui.stepSlider.setValue(0)
    assert kept.ui.stepLabel.text == "Step 1 of 4"
    growth = kept.logic.outcome.growthNode
    assert {foreground for _, foreground, *_ in layers()} == {growth.GetID()}
    assert not slicer.util.arrayFromVolume(growth).any()
    kept.ui.stepSlider.setValue(3)
    assert slicer.util.arrayFromVolume(growth).any()


def test_play_moves_through_the_steps_and_pause_stops(host, kept):
    import slicer

    kept.ui.speedSpinBox.setValue(50)
    kept.ui.stepSlider.setValue(0)
    host.click(kept.ui.playButton)
    assert kept.ui.playButton.text == "P&ause"
    seen = []

    def has_looped():
        seen.append(kept.ui.stepSlider.value)
        return set(seen) == {0, 1, 2, 3} and seen[-1] < seen[-2]

    play_until(host, has_looped)
    host.click(kept.ui.playButton)
    assert kept.ui.playButton.text == "Pl&ay"
    stopped = kept.ui.stepSlider.value
    for _ in range(10):
        slicer.modules.sequences.logic().UpdateAllProxyNodes()
        host.processEvents(0.01)
    assert kept.ui.stepSlider.value == stopped


def test_without_loop_it_stops_at_the_end(host, kept):
    kept.ui.speedSpinBox.setValue(50)
    tick(host, kept.ui.loopCheckBox)
    kept.ui.stepSlider.setValue(0)
    host.click(kept.ui.playButton)
    play_until(host, lambda: not browser(kept).GetPlaybackActive())
    assert kept.ui.playButton.text == "Pl&ay"


def test_panel_follows_the_tool_bar_of_the_application(host, kept):
    browser(kept).SetSelectedItemNumber(1)
    assert kept.ui.stepSlider.value == 1
    browser(kept).SetPlaybackRateFps(3)
    assert kept.ui.speedSpinBox.value == pytest.approx(3)


def test_overlay_is_taken_away_and_the_views_get_back_what_they_had(host, kept):
    before = layers()
    tick(host, kept.ui.growthOverlayCheckBox)
    assert layers() != before
    tick(host, kept.ui.growthOverlayCheckBox)
    assert layers() == before


def test_export_writes_a_gif_of_what_the_views_show(host, kept, tmp_path):
    from PIL import Image, ImageSequence

    kept.ui.stepSlider.setValue(1)
    host.messages.answerNext("file", str(tmp_path / "growth.gif"))
    host.click(kept.ui.exportButton)
    with Image.open(tmp_path / "growth.gif") as picture:
        frames = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(picture)]
    assert len(frames) >= 2  # equal frames are merged
    assert colored(frames[0], ORANGE).sum() == 0
    assert colored(frames[-1], ORANGE).sum() > 500
    assert kept.ui.stepSlider.value == 1


def test_export_writes_numbered_pictures(host, kept, tmp_path):
    host.messages.answerNext("file", str(tmp_path / "growth.png"))
    host.click(kept.ui.exportButton)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [f"growth_00{n}.png" for n in (1, 2, 3, 4)]


def test_export_to_a_name_without_a_suffix_writes_a_gif(host, kept, tmp_path):
    host.messages.answerNext("file", str(tmp_path / "growth"))
    host.click(kept.ui.exportButton)
    assert host.messages.texts("error") == []
    assert [path.name for path in tmp_path.glob("growth*")] == ["growth.gif"]


def test_export_that_fails_is_said(host, kept, tmp_path):
    host.messages.answerNext("file", str(tmp_path / "none" / "growth.gif"))
    host.click(kept.ui.exportButton)
    (message,) = host.messages.texts("error")
    assert "cannot be written" in message


def test_cancelled_run_keeps_the_previous_growth(host, kept):
    choose_model(kept, "slow")
    before = node_ids()
    cancel_at_step(host, kept, 40)
    assert node_ids() == before
    assert kept.ui.playButton.enabled


def test_next_run_shows_its_own_steps(host, kept):
    kept.ui.stepSlider.setValue(0)
    kept.ui.growthViewComboBox.setCurrentIndex(2)
    first = browser(kept)
    segment(host, kept)
    assert browser(kept) is not first
    assert kept.ui.stepLabel.text == "Step 4 of 4"


def test_deleted_growth_and_closed_scene_turn_the_player_off(host, kept):
    import slicer

    kept.ui.stepSlider.setValue(0)
    slicer.mrmlScene.RemoveNode(browser(kept))
    assert not kept.ui.playButton.enabled
    segment(host, kept)
    assert kept.ui.playButton.enabled
    kept.ui.stepSlider.setValue(0)
    host.closeScene()
    assert not kept.ui.playButton.enabled


def test_reloaded_panel_plays_on(host, kept):
    kept.ui.stepSlider.setValue(0)
    widget = host.reloadModule("MedNCA")
    assert all(foreground is None for _, foreground, *_ in layers())
    assert widget.ui.playButton.enabled
    widget.ui.stepSlider.setValue(2)
    assert browser(widget).GetSelectedItemNumber() == 2


def test_when_it_settled_is_laid_over_the_views_too(host, panel, volume_node):
    tick(host, panel.ui.keepGrowthCheckBox)
    panel.ui.growthViewComboBox.setCurrentIndex(3)
    segment(host, panel)
    assert not panel.ui.playButton.enabled
    tick(host, panel.ui.growthOverlayCheckBox)
    assert {foreground for _, foreground, *_ in layers()} == {panel.logic.outcome.growthNode.GetID()}
    tick(host, panel.ui.growthOverlayCheckBox)
    assert {foreground for _, foreground, *_ in layers()} == {None}
