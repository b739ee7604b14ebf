"""What each address does: schemas of what comes in, and who decides it. One module for each noun."""
