"""Stand-ins for the widgets of the Common Toolkit (CTK) that scripted modules use.

Each has the properties, slots and signals that PythonQt shows of the real class, and no others: a C++ function that is
neither slot nor Q_INVOKABLE (such as ``ctkCollapsibleButton::setCollapsed``) cannot be called from Python in Slicer.
"""

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Qt

from ..qt.pythonqt import Property, storedProperty, wrappedClass
from ..qt.signals import Signal


@wrappedClass
class ctkCollapsibleButton(QtWidgets.QAbstractButton):
    """A title bar that folds the widgets below it away; checked means open."""

    contentsCollapsed = Signal("bool")
    COLLAPSED_HEIGHT = 14

    def __init__(self, *args):
        text = args[0] if args and isinstance(args[0], str) else ""
        parent = args[-1] if args and isinstance(args[-1], QtWidgets.QWidget) else None
        super().__init__(parent)
        self._collapsed = self._isFolding = False
        self._expandedMaximumHeight = self.maximumHeight
        self.setText(text)
        self.setCheckable(True)
        self.setChecked(True)
        self.setSizePolicy(QtWidgets.QSizePolicy.Minimum, QtWidgets.QSizePolicy.Preferred)
        self.setContentsMargins(0, self._buttonSizeHint().height(), 0, 0)
        self.setBackgroundRole(QtGui.QPalette.Window)
        self.toggled.connect(lambda checked: self._collapse(not checked))

    def _collapse(self, collapsed):
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        if collapsed:
            self._expandedMaximumHeight = self.maximumHeight
            self.setMaximumHeight(self.sizeHint().height())
        else:
            self.setMaximumHeight(self._expandedMaximumHeight)
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                self._setChildShown(child, not collapsed)
        self.updateGeometry()
        self.contentsCollapsed.emit(collapsed)

    def _setChildShown(self, child, shown):
        self._isFolding = True
        if not shown:
            child.setProperty("hiddenBeforeCollapse", child.isHidden())
            child.hide()
        elif not child.property("hiddenBeforeCollapse"):
            child.show()
        self._isFolding = False

    def eventFilter(self, child, event):
        """As the real one: a child that is shown or hidden meanwhile stays hidden until the button opens."""
        shown = event.type() == QtCore.QEvent.ShowToParent
        if self._collapsed and not self._isFolding and (shown or event.type() == QtCore.QEvent.HideToParent):
            child.setProperty("hiddenBeforeCollapse", not shown)
            self._isFolding = True
            child.hide()
            self._isFolding = False
        return False

    collapsed = Property(
        "collapsed", lambda self: self._collapsed, lambda self, value: self.setChecked(not value), bool
    )
    collapsedHeight = storedProperty("collapsedHeight", COLLAPSED_HEIGHT, int, QtWidgets.QWidget.updateGeometry)

    def childEvent(self, event):
        child = event.child()
        if not event.added() or not isinstance(child, QtWidgets.QWidget):
            return
        child.installEventFilter(self)
        if self._collapsed:
            self._setChildShown(child, False)

    def changeEvent(self, event):
        if event.type() in (QtCore.QEvent.FontChange, QtCore.QEvent.StyleChange):
            self.setContentsMargins(0, self._buttonSizeHint().height(), 0, 0)
        super().changeEvent(event)

    def hitButton(self, position):
        return position.y() < self._buttonSizeHint().height()

    def sizeHint(self):
        return self._size(super().sizeHint())

    def minimumSizeHint(self):
        return self._size(super().minimumSizeHint())

    def _size(self, openSize):
        button = self._buttonSizeHint()
        closed = QtCore.QSize(button.width(), button.height() + self.collapsedHeight)
        if self._collapsed:
            return closed
        layout = self.layout()
        return openSize.expandedTo(button) if layout is None else layout.totalMinimumSize().expandedTo(closed)

    def _buttonSizeHint(self):
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        text = self.fontMetrics().size(Qt.TextShowMnemonic, self.text or "XXXX")
        indicator = self.style().pixelMetric(QtWidgets.QStyle.PM_IndicatorHeight, option, self)
        content = QtCore.QSize(text.width() + 2 * indicator, max(text.height(), indicator))
        return self.style().sizeFromContents(QtWidgets.QStyle.CT_PushButton, option, content, self)

    def paintEvent(self, event):
        painter = QtGui.QPainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.state |= QtWidgets.QStyle.State_Sunken if self.down else QtWidgets.QStyle.State_Raised
        height = self._buttonSizeHint().height()
        option.rect.setHeight(height)
        self.style().drawControl(QtWidgets.QStyle.CE_PushButtonBevel, option, painter, self)
        size = self.style().pixelMetric(QtWidgets.QStyle.PM_IndicatorHeight, option, self)
        arrow = QtWidgets.QStyleOption()
        arrow.initFrom(self)
        arrow.rect = QtCore.QRect((height - size) // 2, (height - size) // 2, size, size)
        direction = "PE_IndicatorArrowRight" if self._collapsed else "PE_IndicatorArrowDown"
        self.style().drawPrimitive(getattr(QtWidgets.QStyle, direction), arrow, painter, self)
        option.rect.setLeft(height)
        self.style().drawItemText(
            painter,
            option.rect,
            Qt.AlignLeft | Qt.AlignVCenter | Qt.TextShowMnemonic,
            self.palette,
            self.enabled,
            self.text,
            QtGui.QPalette.ButtonText,
        )


@wrappedClass
class ctkComboBox(QtWidgets.QComboBox):
    """A combo box with a text for "nothing chosen"."""

    def __init__(self, *args):
        super().__init__(*args)
        self._defaultText = ""

    defaultText = storedProperty("defaultText", "", str, lambda self: self.setPlaceholderText(self.defaultText))


@wrappedClass
class ctkCheckBox(QtWidgets.QCheckBox):
    """A check box; the icons that CTK's may have are left out."""


@wrappedClass
class ctkCheckablePushButton(QtWidgets.QPushButton):
    """A push button with a check box; the box makes the button checkable."""

    checkState = Property(
        "checkState",
        lambda self: Qt.Checked if self.checkable else Qt.Unchecked,
        lambda self, value: self.setCheckable(value == Qt.Checked),
        None,
    )
