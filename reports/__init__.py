"""Results in, documents out: pure functions that return bytes."""
