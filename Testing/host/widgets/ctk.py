"""Stand-ins for the widgets of the Common Toolkit (CTK) that scripted modules use.

Each has the properties, slots and signals that PythonQt shows of the real class, and no others: a C++ function that is
neither slot nor Q_INVOKABLE (such as ``ctkCollapsibleButton::setCollapsed``) cannot be called from Python in Slicer.
"""

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Qt

from ..qt.pythonqt import Property, storedProperty, wrappedClass
from ..qt.signals import Signal


class _ShowsAndHidesChildren:
    """What ctkCollapsibleButton and ctkCollapsibleGroupBox do to the widgets inside."""

    def _setChildrenShown(self, shown):
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                self._setChildShown(child, shown)

    def _setChildShown(self, child, shown):
        if not shown:
            child.setProperty("hiddenBeforeCollapse", child.isHidden())
            child.hide()
        elif not child.property("hiddenBeforeCollapse"):
            child.show()


@wrappedClass
class ctkCollapsibleButton(_ShowsAndHidesChildren, QtWidgets.QAbstractButton):
    """A title bar that folds the widgets below it away; checked means open."""

    contentsCollapsed = Signal("bool")
    COLLAPSED_HEIGHT = 14

    def __init__(self, *args):
        text = args[0] if args and isinstance(args[0], str) else ""
        parent = args[-1] if args and isinstance(args[-1], QtWidgets.QWidget) else None
        super().__init__(parent)
        self._collapsed = False
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
        self._setChildrenShown(not collapsed)
        self.updateGeometry()
        self.contentsCollapsed.emit(collapsed)

    collapsed = Property(
        "collapsed", lambda self: self._collapsed, lambda self, value: self.setChecked(not value), bool
    )
    collapsedHeight = storedProperty("collapsedHeight", COLLAPSED_HEIGHT, int, QtWidgets.QWidget.updateGeometry)
    flat = storedProperty("flat", False, bool, QtWidgets.QWidget.update)
    contentsFrameShape = storedProperty("contentsFrameShape", QtWidgets.QFrame.NoFrame, None, QtWidgets.QWidget.update)
    contentsFrameShadow = storedProperty("contentsFrameShadow", QtWidgets.QFrame.Plain, None, QtWidgets.QWidget.update)
    contentsLineWidth = storedProperty("contentsLineWidth", 1, int, QtWidgets.QWidget.update)
    contentsMidLineWidth = storedProperty("contentsMidLineWidth", 0, int, QtWidgets.QWidget.update)
    buttonTextAlignment = storedProperty("buttonTextAlignment", Qt.AlignLeft | Qt.AlignVCenter)
    indicatorAlignment = storedProperty("indicatorAlignment", Qt.AlignLeft | Qt.AlignVCenter)

    def childEvent(self, event):
        child = event.child()
        if event.added() and self._collapsed and isinstance(child, QtWidgets.QWidget):
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
class ctkCollapsibleGroupBox(_ShowsAndHidesChildren, QtWidgets.QGroupBox):
    """A group box that folds when its check box is cleared."""

    def __init__(self, *args):
        super().__init__(*args)
        self.setCheckable(True)
        self.setChecked(True)
        self.toggled.connect(self._setChildrenShown)

    collapsed = Property(
        "collapsed", lambda self: not self.checked, lambda self, value: self.setChecked(not value), bool
    )
    collapsedHeight = storedProperty("collapsedHeight", 14, int)


@wrappedClass
class ctkComboBox(QtWidgets.QComboBox):
    """A combo box with a text for "nothing chosen"."""

    def __init__(self, *args):
        super().__init__(*args)
        self._defaultText = ""

    defaultText = storedProperty("defaultText", "", str, lambda self: self.setPlaceholderText(self.defaultText))
    forceDefault = storedProperty("forceDefault", False, bool)
    elideMode = storedProperty("elideMode", Qt.ElideNone)
    currentUserDataAsString = Property(
        "currentUserDataAsString",
        lambda self: str(self.currentData or ""),
        lambda self, value: self.setCurrentIndex(self.findData(value)),
        str,
    )


@wrappedClass
class ctkCheckBox(QtWidgets.QCheckBox):
    indicatorIcon = storedProperty("indicatorIcon", QtGui.QIcon())
    indicatorIconSize = storedProperty("indicatorIconSize", QtCore.QSize())


@wrappedClass
class ctkPushButton(QtWidgets.QPushButton):
    buttonTextAlignment = storedProperty("buttonTextAlignment", Qt.AlignCenter)
    iconAlignment = storedProperty("iconAlignment", Qt.AlignLeft | Qt.AlignVCenter)
    elideMode = storedProperty("elideMode", Qt.ElideNone)


@wrappedClass
class ctkCheckablePushButton(ctkPushButton):
    """A push button with a check box; the box makes the button checkable."""

    checkBoxToggled = Signal("bool")
    checkBoxControlsButton = storedProperty("checkBoxControlsButton", True, bool)
    checkBoxControlsButtonToggleState = storedProperty("checkBoxControlsButtonToggleState", True, bool)
    checkBoxUserCheckable = storedProperty("checkBoxUserCheckable", True, bool)
    indicatorAlignment = storedProperty("indicatorAlignment", Qt.AlignLeft | Qt.AlignVCenter)
    checkState = Property(
        "checkState",
        lambda self: Qt.Checked if self.checkable else Qt.Unchecked,
        lambda self, value: self.setCheckable(value == Qt.Checked),
        None,
    )


@wrappedClass
class ctkMenuButton(QtWidgets.QPushButton):
    pass


@wrappedClass
class ctkExpandButton(QtWidgets.QToolButton):
    """The double arrow that shows or hides something; checked means shown."""

    def __init__(self, *args):
        super().__init__(*args)
        self.setCheckable(True)
        self.setAutoRaise(True)
        self.toggled.connect(self._updateIcon)
        self._updateIcon()

    def _updateIcon(self):
        folded, unfolded = (
            QtWidgets.QStyle.SP_ToolBarHorizontalExtensionButton,
            QtWidgets.QStyle.SP_ToolBarVerticalExtensionButton,
        )
        self.setIcon(self.style().standardIcon(unfolded if self.checked else folded))

    orientation = storedProperty("orientation", Qt.Horizontal)
    mirrorOnExpand = storedProperty("mirrorOnExpand", False, bool)


@wrappedClass
class ctkMessageBox(QtWidgets.QMessageBox):
    dontShowAgain = storedProperty("dontShowAgain", False, bool)
    dontShowAgainVisible = storedProperty("dontShowAgainVisible", False, bool)
    dontShowAgainSettingsKey = storedProperty("dontShowAgainSettingsKey", "", str)
