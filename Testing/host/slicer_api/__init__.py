"""What `slicer`, `slicer.util` and the scripted modules find in Slicer."""
