"""A corpus of training programs, healthy and faulty, labelled by their outcome."""
