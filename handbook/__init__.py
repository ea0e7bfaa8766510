"""The handbook: each page's study, its text, and the figures that go from one into the other."""
