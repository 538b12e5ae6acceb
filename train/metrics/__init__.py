"""Figures of a trained model on its tasks, baselines, pictures."""
