"""Stand-ins for Slicer's own widget classes, which know the MRML scene. In Slicer they are attributes of ``slicer``."""

from PySide6 import QtGui, QtWidgets

from ..qt.pythonqt import storedProperty, wrappedClass
from ..qt.signals import Signal
from . import node_combobox
from .ctk_values import ctkDoubleSpinBox, ctkRangeWidget, ctkSliderWidget


@wrappedClass
class qMRMLWidget(QtWidgets.QWidget):
    """The root of a module's .ui file; it hands the scene on to the widgets inside."""

    mrmlSceneChanged = Signal("vtkMRMLScene*")

    def __init__(self, *args):
        super().__init__(*args)
        self._scene = None

    def mrmlScene(self):
        return self._scene

    def setMRMLScene(self, scene):
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


@wrappedClass
class qSlicerWidget(qMRMLWidget):
    pass


@wrappedClass
class qMRMLSliderWidget(ctkSliderWidget):
    """A slider with the units of the scene; the stand-in leaves the units out."""

    def setMRMLScene(self, scene):
        pass

    quantity = storedProperty("quantity", "", str)
    unitAwareProperties = storedProperty("unitAwareProperties", 0)


@wrappedClass
class qMRMLSpinBox(ctkDoubleSpinBox):
    def setMRMLScene(self, scene):
        pass

    quantity = storedProperty("quantity", "", str)
    unitAwareProperties = storedProperty("unitAwareProperties", 0)


@wrappedClass
class qMRMLRangeWidget(ctkRangeWidget):
    def setMRMLScene(self, scene):
        pass

    quantity = storedProperty("quantity", "", str)
    unitAwareProperties = storedProperty("unitAwareProperties", 0)


@wrappedClass
class qMRMLCollapsibleButton(QtWidgets.QWidget):
    pass


@wrappedClass
class qMRMLSegmentsTableView(qMRMLWidget):
    """The table of a segmentation's segments: colour, name, opacity."""

    NoSelection, SingleSelection, MultiSelection, ExtendedSelection = 0, 1, 2, 3
    HEADERS = ("", "Color", "Opacity", "Name")

    def __init__(self, parent=None):
        super().__init__(parent)
        self._node = None
        self._observers = []
        self._table = QtWidgets.QTableWidget(0, len(self.HEADERS), self)
        self._table.setHorizontalHeaderLabels(self.HEADERS)
        self._table.verticalHeader().hide()
        self._table.horizontalHeader().setStretchLastSection(True)
        self._table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectRows)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._table)
        self.destroyed.connect(self._removeObservers)

    def segmentationNode(self):
        return self._node

    def setSegmentationNode(self, node):
        self._removeObservers()
        self._node = node
        if node is not None:
            segmentation = node.GetSegmentation()
            for event in (segmentation.SegmentAdded, segmentation.SegmentRemoved, segmentation.SegmentModified):
                self._observers.append((segmentation, segmentation.AddObserver(event, lambda *_: self._update())))
        self._update()

    def _removeObservers(self):
        for observed, tag in self._observers:
            observed.RemoveObserver(tag)
        self._observers = []

    def displayedSegmentIDs(self):
        return tuple(self._node.GetSegmentation().GetSegmentIDs()) if self._node is not None else ()

    def selectedSegmentIDs(self):
        rows = sorted({index.row() for index in self._table.selectionModel().selectedRows()})
        return tuple(self.displayedSegmentIDs()[row] for row in rows)

    def setSelectedSegmentIDs(self, segmentIds):
        self._table.clearSelection()
        for row, segmentId in enumerate(self.displayedSegmentIDs()):
            if segmentId in segmentIds:
                self._table.selectRow(row)

    def _update(self):
        segmentIds = self.displayedSegmentIDs()
        self._table.setRowCount(len(segmentIds))
        for row, segmentId in enumerate(segmentIds):
            segment = self._node.GetSegmentation().GetSegment(segmentId)
            color = QtWidgets.QTableWidgetItem()
            color.setBackground(QtGui.QColor.fromRgbF(*segment.GetColor()))
            self._table.setItem(row, 1, color)
            self._table.setItem(row, 2, QtWidgets.QTableWidgetItem("1.00"))
            self._table.setItem(row, 3, QtWidgets.QTableWidgetItem(segment.GetName()))

    selectionMode = storedProperty("selectionMode", ExtendedSelection, int)
    headerVisible = storedProperty("headerVisible", True, bool)
    visibilityColumnVisible = storedProperty("visibilityColumnVisible", True, bool)
    colorColumnVisible = storedProperty("colorColumnVisible", True, bool)
    opacityColumnVisible = storedProperty("opacityColumnVisible", True, bool)
    statusColumnVisible = storedProperty("statusColumnVisible", False, bool)
    layerColumnVisible = storedProperty("layerColumnVisible", False, bool)
    readOnly = storedProperty("readOnly", False, bool)
    filterBarVisible = storedProperty("filterBarVisible", False, bool)


@wrappedClass
class qMRMLTableView(QtWidgets.QTableView):
    """The cells of a table node."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._node = None
        self._observation = None
        self.setModel(QtGui.QStandardItemModel(self))
        self.destroyed.connect(self._removeObserver)

    def setMRMLScene(self, scene):
        pass

    def mrmlTableNode(self):
        return self._node

    def setMRMLTableNode(self, node):
        self._removeObserver()
        self._node = node
        if node is not None:
            self._observation = (node, node.AddObserver("ModifiedEvent", lambda *_: self._update()))
        self._update()

    def _removeObserver(self):
        if self._observation is not None:
            node, tag = self._observation
            node.RemoveObserver(tag)
            self._observation = None

    def _update(self):
        """As in Slicer, columns that stay keep how they are resized."""
        model, node = self.model(), self._node
        model.setRowCount(node.GetNumberOfRows() if node else 0)
        model.setColumnCount(node.GetNumberOfColumns() if node else 0)
        columns = range(model.columnCount())
        model.setHorizontalHeaderLabels([node.GetColumnName(column) or "" for column in columns])
        for row in range(model.rowCount()):
            for column in columns:
                model.setItem(row, column, QtGui.QStandardItem(node.GetCellText(row, column)))


qMRMLNodeComboBox = node_combobox.qMRMLNodeComboBox
