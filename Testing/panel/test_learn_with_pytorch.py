"""The section Learn with the engine's own training, as a user does it: a process of PyTorch, stopped and continued."""

import pytest
from support.learning import add_case, is_on, open_learn, start_learning, until, until_learned
from support.panel_driver import segment

pytest.importorskip("torch")


def test_two_cases_are_learned_stopped_continued_used_and_passed_on(host, panel, monkeypatch, tmp_path):
    import slicer

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    volume_node, _segmentation_node = add_case("head 1")
    add_case("head 2")
    open_learn(host, panel)
    panel.ui.learnChoicesCollapsibleButton.collapsed = False
    host.processEvents()
    host.click(panel.ui.learnProposeButton)
    assert panel.ui.learnProposalLabel.text.startswith("Slices are ")
    start_learning(host, panel)
    until(host, panel, lambda: "Batch" in panel.ui.learnStatusLabel.text)
    host.click(panel.ui.learnPlotButton)
    assert len(slicer.util.getNodesByClass("vtkMRMLPlotChartNode")) == 1
    host.click(panel.ui.learnStartButton)
    line = until_learned(host, panel)
    assert line.startswith("Stopped after "), line
    card = panel._panel.model().card
    assert card.scores.labels.keys() == {"bright box", "middle box"}
    host.click(panel.ui.learnContinueButton)
    until(host, panel, lambda: "Batch" in panel.ui.learnStatusLabel.text)
    assert is_on(panel), panel.ui.learnStatusLabel.text
    host.click(panel.ui.learnStartButton)
    assert until_learned(host, panel).startswith("Stopped after ")
    panel.ui.inputSelector.setCurrentNode(volume_node)
    segment(host, panel)
    assert panel.ui.statusLabel.text.startswith("Done in")
    host.messages.answerNext("file", str(tmp_path / "boxes.zip"), str(tmp_path / "boxes.zip"))
    host.click(panel.ui.learnExportButton)
    host.click(panel.ui.learnRemoveButton)
    assert panel.ui.modelComboBox.findData("boxes") < 0
    host.click(panel.ui.learnAddButton)
    assert panel.ui.modelComboBox.currentData == "boxes"
