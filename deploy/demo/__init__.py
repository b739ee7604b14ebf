"""`make demo`: a tour of the system in the terminal."""
