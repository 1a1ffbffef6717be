"""Stand-in for qMRMLTableView: shows a table node, and writes into it what the user types or pastes."""

import slicer
import slicer.util
import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from ..qt.pythonqt import wrappedClass


@wrappedClass
class qMRMLTableModel(QtGui.QStandardItemModel):
    """The cells of a table node. What is typed in is written into the table, unless the node is locked."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._node = None
        self._observation = None
        self._isUpdating = False
        self.itemChanged.connect(self._onItemChanged)

    def mrmlTableNode(self):
        return self._node

    def setMRMLTableNode(self, node):
        self._removeObserver()
        self._node = node
        if node is not None:
            self._observation = node.AddObserver("ModifiedEvent", lambda *_: self._update())
        self._update()

    def _removeObserver(self):
        if self._observation is not None:
            self._node.RemoveObserver(self._observation)
            self._observation = None

    def _rowOffset(self):
        """Without titles as headers the columns' names are the first row."""
        return 0 if self._node.GetUseColumnTitleAsColumnHeader() else 1

    def _columnOffset(self):
        return 1 if self._node.GetUseFirstColumnAsRowHeader() else 0

    def _update(self):
        """As in Slicer, columns that stay keep how they are resized."""
        node = self._node
        self._isUpdating = True
        try:
            if node is None or node.GetNumberOfColumns() == 0:
                self.setRowCount(0)
                self.setColumnCount(0)
                return
            rowOffset, columnOffset = self._rowOffset(), self._columnOffset()
            self.setRowCount(node.GetNumberOfRows() + rowOffset)
            self.setColumnCount(node.GetNumberOfColumns() - columnOffset)
            titles = [node.GetColumnName(column) or "" for column in range(node.GetNumberOfColumns())]
            self.setHorizontalHeaderLabels(
                [chr(ord("A") + column) if rowOffset else titles[column + columnOffset] for column in self._columns()]
            )
            self.setVerticalHeaderLabels(
                [node.GetCellText(row, 0) if columnOffset else str(row + 1) for row in range(self.rowCount())]
            )
            for row in range(self.rowCount()):
                for column in self._columns():
                    if self.item(row, column) is None:
                        self.setItem(row, column, QtGui.QStandardItem())
                    shown = column + columnOffset
                    text = titles[shown] if row < rowOffset else node.GetCellText(row - rowOffset, shown)
                    self.item(row, column).setText(text)
                    self.item(row, column).setEditable(not node.GetLocked())
        finally:
            self._isUpdating = False

    def _columns(self):
        return range(self.columnCount())

    def _onItemChanged(self, item):
        """Write a cell; a value that the column cannot hold is put back."""
        if self._isUpdating:
            return
        row, column = item.row() - self._rowOffset(), item.column() + self._columnOffset()
        if row < 0:
            self._node.RenameColumn(column, item.text())
            return
        table = self._node.GetTable()
        before = table.GetValue(row, column)
        table.SetValue(row, column, vtk.vtkVariant(item.text()))
        if table.GetValue(row, column) == before:
            self._update()
        else:
            table.Modified()


@wrappedClass
class qMRMLTableView(QtWidgets.QTableView):
    """Shows a table node through a sorting model, as in Slicer; cells can be copied and pasted."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._tableModel = qMRMLTableModel(self)
        self._sortFilterProxyModel = QtCore.QSortFilterProxyModel(self)
        self._sortFilterProxyModel.setSourceModel(self._tableModel)
        self.setModel(self._sortFilterProxyModel)
        self.horizontalHeader().setStretchLastSection(False)
        self.destroyed.connect(self._tableModel._removeObserver)

    def tableModel(self):
        return self._tableModel

    def setMRMLScene(self, scene):
        pass

    def mrmlTableNode(self):
        return self._tableModel.mrmlTableNode()

    def setMRMLTableNode(self, node):
        self._tableModel.setMRMLTableNode(node)
        self._sortFilterProxyModel.invalidate()
        self.horizontalHeader().setMinimumSectionSize(60)
        self.resizeColumnsToContents()

    def keyPressEvent(self, event):
        if event.matches(QtGui.QKeySequence.Copy):
            self.copySelection()
        elif event.matches(QtGui.QKeySequence.Paste):
            self.pasteSelection()
        else:
            super().keyPressEvent(event)

    def copySelection(self):
        """Put the texts of the selected cells on the clipboard, with tabs between columns."""
        rows = {}
        for index in sorted(self.selectedIndexes(), key=lambda index: (index.row(), index.column())):
            rows.setdefault(index.row(), []).append(index.data() or "")
        if rows:
            QtWidgets.QApplication.clipboard().setText("\n".join("\t".join(cells) for cells in rows.values()))

    def pasteSelection(self):
        """Write the clipboard's cells from the current one on. Slicer does not ask here whether the node is locked."""
        text, first = QtWidgets.QApplication.clipboard().text(), self.currentIndex()
        if not text or self.mrmlTableNode() is None:
            return
        with slicer.util.NodeModify(self.mrmlTableNode()):
            for row, line in enumerate(text.split("\n"), first.row()):
                for column, cell in enumerate(line.split("\t"), first.column()):
                    item = self._tableModel.item(row, column)
                    if item is not None:
                        item.setText(cell)
