"""What the application would have shown to the user, and what the user would have answered.

Stands for Slicer's message boxes, status bar and file dialogs. None of them opens: a dialog that waits for a click
would stop a test for ever.
"""

import collections
import dataclasses


@dataclasses.dataclass
class Message:
    """One thing shown: ``kind`` is info, warning, error, confirm, box, delay, status, dialog or file."""

    kind: str
    text: str
    title: str = ""
    detailedText: str = ""


# What is answered when nothing else was asked for: what Slicer answers in testing mode, and no file chosen.
DEFAULT_ANSWERS = {"confirm": True, "dialog": 0, "file": "", "input": ""}


class Messages(list):
    """The list of messages shown so far, and the answers to give to the questions to come."""

    def __init__(self):
        super().__init__()
        self._answers = collections.defaultdict(collections.deque)

    def show(self, kind, text, title="", detailedText=""):
        self.append(Message(kind, str(text), str(title or ""), str(detailedText or "")))

    def ask(self, kind, text, title="", detailedText=""):
        """Record a question and return the next answer to it."""
        self.show(kind, text, title, detailedText)
        answers = self._answers[kind]
        return answers.popleft() if answers else DEFAULT_ANSWERS[kind]

    def answerNext(self, kind, *answers):
        """Give these answers to the next questions of a kind.

        Kinds: confirm (answer: bool), file (path), dialog (result code), input (text).
        """
        if kind not in DEFAULT_ANSWERS:
            raise ValueError(f"kind must be one of {', '.join(DEFAULT_ANSWERS)}, not {kind!r}")
        self._answers[kind].extend(answers)

    def texts(self, kind=None):
        """The texts shown, of one kind or of all."""
        return [message.text for message in self if kind in (None, message.kind)]

    def reset(self):
        self.clear()
        self._answers.clear()


def replaceSlicerUtilDialogs(messages):
    """Let the functions of ``slicer.util`` that would show something record it instead."""
    import logging

    import qt
    import slicer
    import slicer.util

    kinds = {logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}
    buttons = {
        qt.QMessageBox.Ok | qt.QMessageBox.Cancel: (qt.QMessageBox.Ok, qt.QMessageBox.Cancel),
        qt.QMessageBox.Yes | qt.QMessageBox.No: (qt.QMessageBox.Yes, qt.QMessageBox.No),
        qt.QMessageBox.Retry | qt.QMessageBox.Close: (qt.QMessageBox.Retry, qt.QMessageBox.Close),
    }

    def messageDisplay(
        logLevel, text, testingReturnValue, mainWindowNeeded=False, parent=None, windowTitle=None, **kwargs
    ):
        detailedText = kwargs.get("detailedText")
        windowTitle = windowTitle or f"{slicer.app.applicationName} {kinds[logLevel]}"
        accept, reject = buttons.get(kwargs.get("standardButtons"), (qt.QMessageBox.Ok, qt.QMessageBox.Ok))
        if accept != reject:
            return accept if messages.ask("confirm", text, windowTitle, detailedText) else reject
        messages.show(kinds[logLevel], text, windowTitle, detailedText)
        return accept

    def messageBox(text, parent=None, **kwargs):
        messages.show("box", text, kwargs.get("windowTitle"), kwargs.get("detailedText"))
        return qt.QMessageBox.Ok

    def delayDisplay(message, autoCloseMsec=1000, parent=None, **kwargs):
        messages.show("delay", message)
        slicer.app.processEvents()

    showInStatusBar = slicer.util.showStatusMessage

    def showStatusMessage(message, duration=0):
        messages.show("status", message)
        return showInStatusBar(message, duration)

    slicer.util._messageDisplay = messageDisplay
    slicer.util.messageBox = messageBox
    slicer.util.delayDisplay = delayDisplay
    slicer.util.showStatusMessage = showStatusMessage


def replaceQtDialogs(messages):
    """Let Qt's own dialogs record themselves and answer at once."""
    import qt

    def execute(dialog):
        kind = "dialog"
        text = dialog.text if isinstance(dialog, qt.QMessageBox) else dialog.windowTitle
        return messages.ask(kind, text, dialog.windowTitle)

    qt.QDialog.exec_ = execute
    qt.QDialog.exec = execute

    def question(parent, title, text, *buttons):
        return qt.QMessageBox.Yes if messages.ask("confirm", text, title) else qt.QMessageBox.No

    qt.QMessageBox.question = staticmethod(question)
    for function, kind in (("information", "info"), ("warning", "warning"), ("critical", "error"), ("about", "info")):

        def show(parent, title, text, *buttons, kind=kind):
            messages.show(kind, text, title)
            return qt.QMessageBox.Ok

        setattr(qt.QMessageBox, function, staticmethod(show))

    def askForFile(parent=None, caption="", *args, **kwargs):
        return messages.ask("file", caption)

    for function in ("getOpenFileName", "getSaveFileName", "getExistingDirectory"):
        setattr(qt.QFileDialog, function, staticmethod(askForFile))
    qt.QFileDialog.getOpenFileNames = staticmethod(lambda *args: [name for name in [askForFile(*args)] if name])
    qt.QInputDialog.getText = staticmethod(lambda parent, title, label, *args: messages.ask("input", label, title))
