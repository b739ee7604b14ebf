"""What each address does: reads by `api`, words by `presenters`, and shows a template."""
