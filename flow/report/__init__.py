"""Everything about one model on one page."""
