"""What the API answered, in words and shapes for people. Pure, but for the filters that templates get."""
