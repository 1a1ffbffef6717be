"""Growth in the panel: tick Keep, click Segment, play, slide, loop, export."""

import numpy as np
import pytest
from support.panel_driver import cancelAtStep, chooseModel, nodeIds, segment, tick
from support.scene_assertions import addVolume
from support.slice_view_probe import colored, layers

ORANGE = (230, 159, 0)


@pytest.fixture
def kept(host, panel, volumeNode):
    """A panel that has kept the four steps of a run."""
    tick(host, panel.ui.keepGrowthCheckBox)
    segment(host, panel)
    return panel


def browser(panel):
    return panel.logic.getParameterNode().growthBrowser


def playFor(host, seconds):
    """As the application's own timer does while a sequence is played."""
    import time

    import slicer

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        slicer.modules.sequences.logic().UpdateAllProxyNodes()
        host.processEvents(0.01)


def test_playerIsOffAsLongAsNothingWasKept(host, panel, volumeNode):
    segment(host, panel)
    for name in ("playButton", "stepSlider", "loopCheckBox", "speedSpinBox", "growthOverlayCheckBox", "exportButton"):
        assert not getattr(panel.ui, name).enabled
    assert panel.ui.stepLabel.text == ""


def test_speedThatIsShownBeforeIsWhatKeptStepsBeginWith(host, panel, volumeNode):
    import slicer

    before = panel.ui.speedSpinBox.value
    tick(host, panel.ui.keepGrowthCheckBox)
    segment(host, panel)
    assert browser(panel).GetPlaybackRateFps() == pytest.approx(before)
    panel.ui.speedSpinBox.setValue(3)
    slicer.mrmlScene.RemoveNode(browser(panel))
    assert panel.ui.speedSpinBox.value == before


def test_whatToKeepIsListedForTheModel(panel, volumeNode):
    box = panel.ui.growthViewComboBox
    assert [box.itemText(index) for index in range(box.count)] == [
        "All labels",
        "Probability of anterior hippocampus (%)",
        "Probability of posterior hippocampus (%)",
        "When it settled (step)",
    ]
    chooseModel(panel, "hippocampus-mr")
    assert box.itemText(box.count - 1) == "Hidden channel 16"  # 24 channels less 5 of the image and 3 outputs


def test_memoryIsSaidBeforeTheRunAndFollowsTheCap(host, panel):
    from support.brightness_model import boxesImage

    panel.ui.inputSelector.setCurrentNode(addVolume(boxesImage((100, 100, 100))))
    assert not panel.ui.growthEstimateLabel.visible
    tick(host, panel.ui.keepGrowthCheckBox)
    assert panel.ui.growthEstimateLabel.text == "Keeps all 4 steps: 4.0 MB."
    panel.ui.growthMegabytesSpinBox.setValue(3)
    assert panel.ui.growthEstimateLabel.text == "Keeps 3 of 4 steps: 3.0 MB."
    panel.ui.growthViewComboBox.setCurrentIndex(3)
    assert panel.ui.growthEstimateLabel.text == "Keeps one volume: 2.0 MB."


def test_sliderShowsTheStepInTheSliceViews(host, kept):
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


def test_playMovesThroughTheStepsAndPauseStops(host, kept):
    kept.ui.speedSpinBox.setValue(50)
    kept.ui.stepSlider.setValue(0)
    host.click(kept.ui.playButton)
    assert kept.ui.playButton.text == "P&ause"
    seen = set()
    for _ in range(20):
        playFor(host, 0.02)
        seen.add(kept.ui.stepSlider.value)
    assert seen == {0, 1, 2, 3}  # it loops
    host.click(kept.ui.playButton)
    assert kept.ui.playButton.text == "Pl&ay"
    stopped = kept.ui.stepSlider.value
    playFor(host, 0.1)
    assert kept.ui.stepSlider.value == stopped


def test_withoutLoopItStopsAtTheEnd(host, kept):
    kept.ui.speedSpinBox.setValue(50)
    tick(host, kept.ui.loopCheckBox)
    kept.ui.stepSlider.setValue(0)
    host.click(kept.ui.playButton)
    playFor(host, 0.4)
    assert not browser(kept).GetPlaybackActive()
    assert kept.ui.playButton.text == "Pl&ay"


def test_panelFollowsTheToolBarOfTheApplication(host, kept):
    browser(kept).SetSelectedItemNumber(1)
    assert kept.ui.stepSlider.value == 1
    browser(kept).SetPlaybackRateFps(3)
    assert kept.ui.speedSpinBox.value == pytest.approx(3)


def test_overlayIsTakenAwayAndTheViewsGetBackWhatTheyHad(host, kept):
    before = layers()
    tick(host, kept.ui.growthOverlayCheckBox)
    assert layers() != before
    tick(host, kept.ui.growthOverlayCheckBox)
    assert layers() == before


def test_exportWritesAGifOfWhatTheViewsShow(host, kept, tmp_path):
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


def test_exportWritesNumberedPictures(host, kept, tmp_path):
    host.messages.answerNext("file", str(tmp_path / "growth.png"))
    host.click(kept.ui.exportButton)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [f"growth_00{n}.png" for n in (1, 2, 3, 4)]


def test_export_to_a_name_without_a_suffix_writes_a_gif(host, kept, tmp_path):
    host.messages.answerNext("file", str(tmp_path / "growth"))
    host.click(kept.ui.exportButton)
    assert host.messages.texts("error") == []
    assert [path.name for path in tmp_path.glob("growth*")] == ["growth.gif"]


def test_exportThatFailsIsSaid(host, kept, tmp_path):
    host.messages.answerNext("file", str(tmp_path / "none" / "growth.gif"))
    host.click(kept.ui.exportButton)
    (message,) = host.messages.texts("error")
    assert "cannot be written" in message


def test_cancelledRunKeepsThePreviousGrowth(host, kept):
    chooseModel(kept, "slow")
    before = nodeIds()
    cancelAtStep(host, kept, 40)
    assert nodeIds() == before
    assert kept.ui.playButton.enabled


def test_nextRunShowsItsOwnSteps(host, kept):
    kept.ui.stepSlider.setValue(0)
    kept.ui.growthViewComboBox.setCurrentIndex(2)
    first = browser(kept)
    segment(host, kept)
    assert browser(kept) is not first
    assert kept.ui.stepLabel.text == "Step 4 of 4"


def test_deletedGrowthAndClosedSceneTurnThePlayerOff(host, kept):
    import slicer

    kept.ui.stepSlider.setValue(0)
    slicer.mrmlScene.RemoveNode(browser(kept))
    assert not kept.ui.playButton.enabled
    segment(host, kept)
    assert kept.ui.playButton.enabled
    kept.ui.stepSlider.setValue(0)
    host.closeScene()
    assert not kept.ui.playButton.enabled


def test_reloadedPanelPlaysOn(host, kept):
    kept.ui.stepSlider.setValue(0)
    widget = host.reloadModule("MedNCA")
    assert all(foreground is None for _, foreground, *_ in layers())
    assert widget.ui.playButton.enabled
    widget.ui.stepSlider.setValue(2)
    assert browser(widget).GetSelectedItemNumber() == 2


def test_whenItSettledIsLaidOverTheViewsToo(host, panel, volumeNode):
    tick(host, panel.ui.keepGrowthCheckBox)
    panel.ui.growthViewComboBox.setCurrentIndex(3)
    segment(host, panel)
    assert not panel.ui.playButton.enabled
    tick(host, panel.ui.growthOverlayCheckBox)
    assert {foreground for _, foreground, *_ in layers()} == {panel.logic.outcome.growthNode.GetID()}
    tick(host, panel.ui.growthOverlayCheckBox)
    assert {foreground for _, foreground, *_ in layers()} == {None}
