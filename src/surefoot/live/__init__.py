"""The live page: all runs of a folder in the browser, while they train."""
