"""What a finder has found: kept with the segmentation, and the same again in boxes that nobody has moved."""

from types import SimpleNamespace

import pytest
from support.brightness_model import MODULE
from support.head_model import head_model
from support.scene_assertions import add_volume

from MedNCALib import Finding, FoundStructure
from MedNCALib.imaging.contrast_turn import ContrastTurn

BOXES = ((-30.0, -10.0, -20.0, 10.0, -15.0, 5.0), (12.0, 30.0, -20.0, 10.0, -15.0, 5.0))


@pytest.mark.parametrize("turn", [None, ContrastTurn(2.0, 80.5, 240.25)], ids=["dark fluid", "bright fluid"])
def test_a_finding_stays_the_same_in_the_scene_and_in_its_boxes(host, turn):
    host.loadModule(MODULE)
    import slicer
    from MedNCAScene.results.found_boxes import findingInBoxes, findingOf, keepFinding, showBoxes

    structures = [FoundStructure(side, box, 0.8, False, turn) for side, box in zip(("left", "right"), BOXES)]
    finding = Finding(tuple(structures), 1500.0, ("Check the result.",))
    model, node = head_model(), slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    keepFinding(node, model, SimpleNamespace(found=finding.structures, brain_ml=1500.0, notes=finding.notes))
    assert findingOf(node, model.name) == finding
    volume_node = add_volume()
    assert findingInBoxes(showBoxes(finding, model, volume_node), volume_node) == finding
