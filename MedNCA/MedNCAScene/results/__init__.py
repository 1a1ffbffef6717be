"""From the library's results to nodes: segments, tables, sequences, overlays."""
