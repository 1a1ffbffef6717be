"""A model whose licence restricts its use asks once."""

import logging
from dataclasses import replace

import pytest
from support.brightness_model import brightness_model
from support.panel_driver import (
    assert_found,
    choose_model,
    make_models,
    node_ids,
    open_panel,
    segment,
    segmentation_nodes,
)
from support.scene_assertions import add_volume


def save_restricted(folder, licence="Research use only"):
    model = brightness_model(folder, name="restricted")
    replace(model, card=replace(model.card, licence=licence)).save(folder / "restricted")


@pytest.fixture
def panel(host, tmp_path, monkeypatch):
    make_models(tmp_path, monkeypatch)
    save_restricted(tmp_path)
    widget = open_panel(host)
    widget.ui.inputSelector.setCurrentNode(add_volume())
    choose_model(widget, "restricted")
    return widget


def questions(host):
    return host.messages.texts("confirm")


def test_the_licence_stands_under_the_model(panel):
    assert "Licence: Research use only." in panel.ui.modelLabel.text


def test_a_yes_is_remembered(host, panel):
    host.messages.answerNext("confirm", True)
    segment(host, panel)
    (question,) = questions(host)
    assert "The licence of restricted restricts its use: Research use only." in question
    assert_found(segmentation_nodes()[0], panel.ui.inputSelector.currentNode())
    segment(host, panel)
    panel = host.reloadModule("MedNCA")
    segment(host, panel)
    assert len(questions(host)) == 1


def test_a_no_does_not_start_the_run_and_is_asked_again(host, panel):
    before = node_ids()
    for count in (1, 2):
        host.messages.answerNext("confirm", False)
        host.click(panel.ui.segmentButton)
        assert not panel.isRunning
        assert "the licence of restricted was not accepted" in panel.ui.statusLabel.text
        assert len(questions(host)) == count
    assert node_ids() == before


def test_the_same_model_in_another_folder_is_not_asked_for(host, panel, tmp_path):
    segment(host, panel)
    save_restricted(tmp_path / "moved")
    panel.ui.modelsFolderPathLineEdit.setCurrentPath(str(tmp_path / "moved"))
    segment(host, panel)
    assert len(questions(host)) == 1


def test_another_licence_is_asked_for(host, panel, tmp_path):
    segment(host, panel)
    save_restricted(tmp_path, "CC BY-NC 4.0")
    panel = host.reloadModule("MedNCA")
    segment(host, panel)
    assert len(questions(host)) == 2


def test_a_free_model_asks_nothing(host, panel):
    choose_model(panel, "brightness")
    segment(host, panel)
    assert questions(host) == []


def test_inspecting_a_cell_asks_too(host, panel):
    host.messages.answerNext("confirm", False)
    before = node_ids()
    host.click(panel.ui.inspectButton)
    assert not panel.ui.inspectButton.checked
    assert "was not accepted" in panel.ui.statusLabel.text
    assert node_ids() == before
    host.messages.answerNext("confirm", True)
    host.click(panel.ui.inspectButton)
    assert panel.ui.inspectButton.checked
    assert len(questions(host)) == 2


def test_the_console_says_it_in_one_line_until_it_is_accepted(host, panel, caplog):
    caplog.set_level(logging.WARNING)
    volume_node = panel.ui.inputSelector.currentNode()
    panel.logic.process(volume_node, model="restricted")
    assert questions(host) == []
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "MedNCA: The licence of restricted restricts its use: Research use only."
    caplog.clear()
    segment(host, panel)
    panel.logic.process(volume_node, model="restricted")
    assert caplog.records == []
