"""CTK's and Slicer's own widgets."""
