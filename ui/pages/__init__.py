"""One module a page: choose, one call, draw."""
