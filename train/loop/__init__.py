"""Float network, options, the training itself, seeds, results on disk."""
