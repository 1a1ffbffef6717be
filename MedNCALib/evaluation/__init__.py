"""A model against known labels: metrics, perturbations, calibration."""
