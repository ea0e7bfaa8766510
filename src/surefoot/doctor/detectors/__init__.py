"""Rules that read the evidence: one file a family."""
