"""Series and labelled recordings: built-in ones, files, splits, windows."""
