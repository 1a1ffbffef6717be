"""What is asked of Slicer itself: settings, terminology, sample data, Segment Editor."""
