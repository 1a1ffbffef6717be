"""From nodes to what the library takes: volumes, regions, points."""
