"""The section Learn, driven as a user does; the training is a program that says what `mednca train` says."""

import gc
import os
import signal

import pytest
from support.fake_training import use_fake_training
from support.learning import add_case, is_on, open_learn, start_learning, until_learned, until_second
from support.panel_driver import choose_model, segment, segmentation_nodes

CASES = 2


@pytest.fixture
def cases(panel):
    return [add_case(f"head {number}") for number in range(1, CASES + 1)]


@pytest.fixture
def learn(host, panel, cases, monkeypatch, tmp_path):
    """The panel with the section open, two cases, and a fast training."""
    use_fake_training(monkeypatch, tmp_path)
    return open_learn(host, panel)


def models(panel):
    box = panel.ui.modelComboBox
    return [box.itemData(index) for index in range(box.count)]


def texts(table, column=0):
    return [table.item(row, column).text() for row in range(table.rowCount)]


def test_cases_are_found_with_their_volumes_and_segments(learn):
    ui = learn.ui
    assert texts(ui.learnCasesTable) == ["head 1 drawn", "head 2 drawn"]
    assert [ui.learnCasesTable.cellWidget(row, 1).currentText for row in range(2)] == ["head 1", "head 2"]
    assert texts(ui.learnSegmentsTable) == ["bright box", "middle box"]
    assert texts(ui.learnSegmentsTable, 2) == ["2 of 2", "2 of 2"]
    assert "one is kept aside" in ui.learnChecksLabel.text
    assert ui.learnStartButton.enabled


def test_a_training_gives_a_model_that_is_used_exported_removed_and_added_again(host, learn, cases, tmp_path):
    ui = learn.ui
    ui.learnDataLineEdit.setText("boxes, drawn by hand")
    ui.learnLicenceLineEdit.setText("CC0 1.0")
    start_learning(host, learn)
    assert ui.learnStartButton.text == "Stop and keep the best"
    until_second(host, learn, 20)
    host.click(ui.learnPlotButton)
    assert until_learned(host, learn).startswith("Done in 1 min 0 s: boxes is in the list of models.")
    assert "Held-out Dice: bright box 0.800, middle box 0.800; all labels 0.800." in ui.learnResultLabel.text
    assert ui.learnPictureLabel.visible
    assert ui.modelComboBox.currentData == "boxes"
    card = learn._panel.model().card
    assert (card.licence, card.training.data[0].name) == ("CC0 1.0", "boxes, drawn by hand")
    assert [label.name for label in learn._panel.model().labels] == ["bright box", "middle box"]

    ui.inputSelector.setCurrentNode(cases[0][0])
    segment(host, learn)
    assert ui.statusLabel.text.startswith("Done in"), ui.statusLabel.text

    file = tmp_path / "boxes.zip"
    host.messages.answerNext("file", str(file))
    host.click(ui.learnExportButton)
    assert ui.learnStatusLabel.text == f"Written: {file}"
    host.messages.answerNext("confirm", True)
    host.click(ui.learnRemoveButton)
    assert "boxes" not in models(learn)
    assert ui.learnStatusLabel.text == "boxes is deleted."
    host.messages.answerNext("file", str(file))
    host.click(ui.learnAddButton)
    assert ui.modelComboBox.currentData == "boxes"


def test_the_plot_grows_with_the_training(host, learn):
    import slicer

    start_learning(host, learn)
    until_second(host, learn, 8)
    host.click(learn.ui.learnPlotButton)
    (chart,) = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    series = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
    assert [each.GetName() for each in series] == ["Loss", "Dice, all labels", "Dice, bright box", "Dice, middle box"]
    before = series[0].GetTableNode().GetNumberOfRows()
    until_learned(host, learn)
    assert series[0].GetTableNode().GetNumberOfRows() == 60 > before
    assert series[1].GetTableNode().GetNumberOfRows() == 15


def test_the_present_result_is_shown_and_goes_at_the_end(host, learn, cases):
    import slicer

    start_learning(host, learn)
    until_second(host, learn, 9)
    (view, *_rest) = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    assert view.GetBackgroundVolumeID() == cases[0][0].GetID()
    shown = slicer.mrmlScene.GetNodeByID(view.GetForegroundVolumeID())
    assert slicer.util.arrayFromVolume(shown).max() == 2
    assert shown.GetName() not in [learn.ui.manySourceComboBox.itemText(0)]
    until_learned(host, learn)
    assert shown.GetScene() is None
    assert view.GetForegroundVolumeID() is None


def test_stop_keeps_the_best_and_continue_goes_on(host, learn):
    ui = learn.ui
    start_learning(host, learn, minutes=5)
    until_second(host, learn, 10)
    host.click(ui.learnStartButton)
    assert not ui.learnStartButton.enabled
    line = until_learned(host, learn)
    assert line.startswith("Stopped after ")
    assert "boxes" in models(learn)
    host.click(ui.learnContinueButton)
    until_second(host, learn, 20)
    host.click(ui.learnStartButton)
    assert until_learned(host, learn).startswith("Stopped after ")


def test_a_killed_process_is_said_and_continue_goes_on_from_its_checkpoint(host, learn):
    start_learning(host, learn)
    until_second(host, learn, 10)
    process = learn.logic._training._process._process
    os.kill(process.processId(), signal.SIGKILL)
    line = until_learned(host, learn)
    assert line == (
        "The training ended before its time: it was killed, or ran out of memory. Continue goes on from its last"
        " checkpoint."
    )
    assert "boxes" not in models(learn)
    host.click(learn.ui.learnContinueButton)
    assert until_learned(host, learn).startswith("Done in 1 min")


def test_what_the_engine_refuses_is_said_in_its_words(host, learn, monkeypatch, tmp_path):
    use_fake_training(monkeypatch, tmp_path, "--refuse", "The cases are of different planets.")
    start_learning(host, learn)
    assert until_learned(host, learn) == "The cases are of different planets."
    assert models(learn).count("boxes") == 0
    assert not learn.ui.learnContinueButton.enabled


def test_a_training_outlives_the_scene_and_a_deleted_case(host, learn, cases):
    import slicer

    start_learning(host, learn)
    until_second(host, learn, 5)
    host.click(learn.ui.learnPlotButton)
    slicer.mrmlScene.RemoveNode(cases[0][0])
    until_second(host, learn, 15)
    host.closeScene()
    until_second(host, learn, 20)
    host.closeModule()
    until_second(host, learn, 25)
    host.openModule("MedNCA")
    assert until_learned(host, learn).startswith("Done in ")
    assert "boxes" in models(learn)
    assert segmentation_nodes() == []


def test_a_case_that_is_deleted_before_it_was_copied_is_said(host, learn, cases):
    import slicer

    host.click(learn.ui.learnStartButton)
    slicer.mrmlScene.RemoveNode(cases[1][1])
    assert " was deleted" in until_learned(host, learn)
    assert learn.ui.learnStartButton.enabled


def test_the_application_ends_the_training_and_finds_it_again(host, learn):
    start_learning(host, learn, minutes=5)
    until_second(host, learn, 10)
    process = learn.logic._training._process._process
    new = open_learn(host, host.reloadModule("MedNCA"))
    assert process.state() == 0 or str(process.state()).endswith("NotRunning")
    assert new.ui.learnNameLineEdit.text == "boxes"
    assert new.ui.learnStatusLabel.text == "The training of boxes has not come to its end: Continue goes on."
    assert new.ui.learnContinueButton.enabled


def test_segments_are_named_and_left_out(host, learn):
    from PySide6 import QtCore

    table = learn.ui.learnSegmentsTable
    table.item(0, 1).setText("lesion")
    table.item(1, 0).setCheckState(QtCore.Qt.Unchecked)
    host.processEvents()
    start_learning(host, learn)
    until_learned(host, learn)
    assert [label.name for label in learn._panel.model().labels] == ["lesion"]


def test_segments_of_one_name_are_one_label(host, learn):
    table = learn.ui.learnSegmentsTable
    for row in range(2):
        table.item(row, 1).setText("box")
    start_learning(host, learn)
    until_learned(host, learn)
    assert [label.name for label in learn._panel.model().labels] == ["box"]


def test_without_cases_the_button_says_what_is_missing(host, panel, monkeypatch, tmp_path):
    use_fake_training(monkeypatch, tmp_path)
    open_learn(host, panel)
    assert not panel.ui.learnStartButton.enabled
    assert "no case to learn from" in panel.ui.learnStartButton.toolTip


def test_a_volume_is_chosen_for_a_segmentation_that_knows_none(host, learn, cases):
    node = cases[0][1]
    node.SetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole(), None)
    learn.ui.learnCollapsibleButton.collapsed = True
    open_learn(host, learn)
    assert "Choose the volume that head 1 drawn was drawn on." in learn.ui.learnChecksLabel.text
    box = learn.ui.learnCasesTable.cellWidget(0, 1)
    box.setCurrentIndex(box.findText("head 1"))
    host.processEvents()
    assert "Choose the volume" not in learn.ui.learnChecksLabel.text


def test_corrections_are_offered_with_the_model_that_they_correct(host, panel, volume_node, monkeypatch, tmp_path):
    use_fake_training(monkeypatch, tmp_path)
    segment(host, panel)
    open_learn(host, panel)
    ui = panel.ui
    ui.learnSourceComboBox.setCurrentIndex(ui.learnSourceComboBox.findData("corrections"))
    host.processEvents()
    assert "No result of MedNCA has been edited yet" in ui.learnChecksLabel.text
    (node,) = segmentation_nodes()
    node.GetSegmentation().GetNthSegment(0).SetTag("Segmentation.Status", "inprogress")
    ui.learnSourceComboBox.setCurrentIndex(0)
    ui.learnSourceComboBox.setCurrentIndex(ui.learnSourceComboBox.findData("corrections"))
    host.processEvents()
    assert texts(ui.learnCasesTable) == [node.GetName()]
    assert ui.learnStartComboBox.currentData == "brightness"
    assert ui.learnNameLineEdit.text == "brightness-adapted"
    start_learning(host, panel, name="brightness-adapted")
    assert until_learned(host, panel).startswith("Done in")
    assert "Before 1.000, after 0." in ui.learnResultLabel.text
    assert "The new model is not better: keep the old one" in ui.learnResultLabel.text
    assert "It takes no corrections to regrow. It has no finder" in ui.learnResultLabel.text
    assert panel._panel.model().card.training.started_from == "brightness"
    choose_model(panel, "brightness")


def test_without_pytorch_every_button_says_so_and_the_rest_works(host, panel, volume_node, cases, monkeypatch):
    from MedNCAScene.application import pytorch

    monkeypatch.setattr(pytorch, "find_spec", lambda name: None)
    open_learn(host, panel)
    ui = panel.ui
    for button in (ui.learnStartButton, ui.learnContinueButton):
        assert not button.enabled
        assert "Training needs PyTorch, which is not installed." in button.toolTip
    assert ui.learnTorchLabel.text == "Training needs PyTorch, which is not installed."
    assert ui.learnTorchButton.visible
    assert ui.learnAddButton.enabled
    segment(host, panel)
    assert ui.statusLabel.text.startswith("Done in")


def test_pytorch_is_installed_after_a_question(host, panel, cases, monkeypatch):
    import types

    from MedNCAScene.application import pytorch

    isThere, asked = [], []

    def pip_install(requirements, logCallback, completedCallback, **_options):
        asked.append(requirements)
        logCallback("Downloading torch")
        isThere.append(True)
        completedCallback(0)

    monkeypatch.setattr(pytorch, "find_spec", lambda name: object() if isThere and name == "torch" else None)
    monkeypatch.setattr(pytorch, "_packaging", lambda: types.SimpleNamespace(pip_install=pip_install))
    open_learn(host, panel)
    host.messages.answerNext("confirm", False)
    host.click(panel.ui.learnTorchButton)
    assert asked == []
    host.messages.answerNext("confirm", True)
    host.click(panel.ui.learnTorchButton)
    assert asked[0][0] == "torch>=2.9"
    assert panel.ui.learnTorchLabel.text == "PyTorch is installed: training can start."
    assert panel.ui.learnStartButton.enabled


def test_pytorch_that_cannot_be_installed_says_what_to_copy(host, panel, monkeypatch):
    import types

    from MedNCAScene.application import pytorch

    monkeypatch.setattr(pytorch, "find_spec", lambda name: None)
    failing = types.SimpleNamespace(pip_install=lambda *_a, completedCallback, **_o: completedCallback(1))
    monkeypatch.setattr(pytorch, "_packaging", lambda: failing)
    open_learn(host, panel)
    host.click(panel.ui.learnTorchButton)
    text = panel.ui.learnTorchLabel.text
    assert text.startswith("PyTorch could not be installed: the installer ended with code 1.")
    assert "pip download torch" in text
    assert panel.ui.learnTorchFolderButton.enabled


def test_a_second_training_leaves_nothing_more(host, learn):
    def train(name):
        start_learning(host, learn, name=name)
        until_learned(host, learn)
        choose_model(learn, "brightness")
        host.processEvents()
        gc.collect()
        return host.counts()

    assert train("first") == train("second")


def test_a_training_that_could_go_on_is_given_up_only_after_a_question(host, learn):
    start_learning(host, learn)
    until_second(host, learn, 10)
    learn._panel._learn.end()
    learn._panel._learn.update()
    host.messages.answerNext("confirm", False)
    host.click(learn.ui.learnStartButton)
    assert not is_on(learn)
    assert "There is a training of boxes that could go on." in host.messages.texts("confirm")[-1]


def test_files_of_two_folders_are_learned(host, learn, cases, tmp_path):
    ui = learn.ui
    start_learning(host, learn, name="first")
    until_learned(host, learn)
    folder = tmp_path / ".learning" / "first" / "cases"
    host.closeScene()
    ui.learnSourceComboBox.setCurrentIndex(ui.learnSourceComboBox.findData("folders"))
    host.processEvents()
    assert not ui.learnCasesTable.visible
    ui.learnImagesPathLineEdit.setCurrentPath(str(folder / "images"))
    ui.learnLabelsPathLineEdit.setCurrentPath(str(folder / "labels"))
    assert "2 pairs of images and labels. They name bright box, middle box." in ui.learnChecksLabel.text
    start_learning(host, learn, name="second")
    assert until_learned(host, learn).startswith("Done in ")
    assert [label.name for label in learn._panel.model().labels] == ["bright box", "middle box"]
