"""What stands around each page: the reader of its data, menu, filters, errors, assets and counts."""
