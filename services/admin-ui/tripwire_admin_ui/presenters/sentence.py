"""A sentence in which times stand: they are set as times, so that the page shows them in the reader's zone. Pure."""

from datetime import datetime

Sentence = tuple[str | datetime, ...]


def joined(*sentences: Sentence) -> Sentence:
    """One after the other; the empty ones are left out."""
    said = [sentence for sentence in sentences if sentence]
    return tuple(piece for place, sentence in enumerate(said) for piece in ((" ", *sentence) if place else sentence))
