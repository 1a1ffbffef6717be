"""The segmentation protocol in the scene: of the result, of the kept growth and of an inspected cell."""

import numpy as np
import pytest
from support.brightness_model import MODULE
from support.protocol_model import TIGHT, WIDE, border_of, protocol_model, rimmed_image
from support.scene_assertions import add_volume

from MedNCALib import MedNCAError


@pytest.fixture
def logic(host):
    host.loadModule(MODULE)
    import MedNCA

    return MedNCA.MedNCALogic()


@pytest.fixture
def model(tmp_path):
    return str(protocol_model().save(tmp_path / "two-protocols").folder)


def labels_of(node, volume_node):
    import slicer

    return slicer.util.arrayFromSegmentBinaryLabelmap(node, node.GetSegmentation().GetNthSegmentID(0), volume_node)


@pytest.mark.parametrize(("options", "protocol"), [({}, TIGHT), ({"protocol": "wide"}, WIDE)])
def test_the_segments_have_the_border_of_the_protocol_also_if_the_growth_is_kept(logic, model, options, protocol):
    volume_node = add_volume(rimmed_image())
    node = logic.process(volume_node, model=model, table=True, showWhileRunning=True, keepGrowth="hidden:1", **options)
    np.testing.assert_array_equal(labels_of(node, volume_node), border_of(rimmed_image(), protocol))
    assert logic.outcome.protocol == protocol.name
    browser, growth = logic.outcome.growthBrowserNode, logic.outcome.growthNode
    first = browser.GetSequenceNode(growth).GetNthDataNode(0)
    assert browser.GetSequenceNode(growth).GetNumberOfDataNodes() == 6
    assert np.sign(first.GetImageData().GetScalarRange()).tolist() == [np.sign(protocol.value)] * 2


def test_a_protocol_that_the_model_does_not_have_is_an_error(logic, model):
    with pytest.raises(MedNCAError, match="Choose one of: auto, wide, tight"):
        logic.process(add_volume(rimmed_image()), model=model, protocol="narrow")


def test_an_inspected_cell_goes_through_the_run_with_the_protocol(logic, model):
    x, y, z = rimmed_image().TransformIndexToPhysicalPoint((9, 9, 5))
    for options, protocol in (({}, TIGHT), ({"protocol": "wide"}, WIDE)):
        chart = logic.plotCell(add_volume(rimmed_image()), (-x, -y, z), model=model, **options)
        table = chart.GetNodeReference("MedNCA.Table")
        column = [table.GetColumnName(index) for index in range(table.GetNumberOfColumns())].index("Hidden channel 1")
        assert np.sign(float(table.GetCellText(0, column))) == np.sign(protocol.value)
