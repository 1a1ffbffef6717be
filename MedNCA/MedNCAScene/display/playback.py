"""How kept steps are played in the slice views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from ..node_watch import NodeWatch
from ..results.growth_sequence import PLAYBACK_FPS


class Playback:
    """Plays the sequence of a browser node.

    The browser node keeps the state, so that the panel and the application's own sequence tool bar agree.

    Args:
        onChanged: called whenever the state has changed, whoever changed it.
    """

    def __init__(self, onChanged: Callable[[], None]) -> None:
        self._watch = NodeWatch(onChanged)

    def follow(self, browserNode: slicer.vtkMRMLSequenceBrowserNode | None) -> None:
        """Play another browser's sequence; None for none."""
        self._watch.follow(browserNode)

    @property
    def browserNode(self) -> Any:
        """The browser node that is followed, or None."""
        return self._watch.node

    @property
    def count(self) -> int:
        """Number of kept steps; 0 without a sequence."""
        return self.browserNode.GetNumberOfItems() if self.browserNode is not None else 0

    @property
    def index(self) -> int:
        """Which of the kept steps is shown, from 0."""
        return self.browserNode.GetSelectedItemNumber() if self.count else 0

    @property
    def isPlaying(self) -> bool:
        return self.count > 0 and bool(self.browserNode.GetPlaybackActive())

    @property
    def isLooped(self) -> bool:
        return self.count == 0 or bool(self.browserNode.GetPlaybackLooped())

    @property
    def stepsPerSecond(self) -> float:
        """The speed; that of a new sequence if there is none."""
        return self.browserNode.GetPlaybackRateFps() if self.count else PLAYBACK_FPS

    def stepName(self, index: int) -> str:
        """The number of a kept step among the steps of its run, or nothing if it has left the scene."""
        sequence = self.browserNode.GetMasterSequenceNode() if self.count else None
        return sequence.GetNthIndexValue(index) if sequence is not None and 0 <= index < self.count else ""

    def togglePlaying(self) -> None:
        """Play, or stop."""
        self.browserNode.SetPlaybackActive(not self.isPlaying)

    def select(self, index: int) -> None:
        """Show one of the kept steps."""
        self.browserNode.SetSelectedItemNumber(index)

    def setLooped(self, isLooped: bool) -> None:
        """Whether the first step follows the last."""
        self.browserNode.SetPlaybackLooped(isLooped)

    def setStepsPerSecond(self, stepsPerSecond: float) -> None:
        """Set the speed."""
        self.browserNode.SetPlaybackRateFps(stepsPerSecond)
