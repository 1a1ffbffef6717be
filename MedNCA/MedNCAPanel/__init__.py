"""What the panel needs besides the scene: a run driven by the event loop, and its words."""
