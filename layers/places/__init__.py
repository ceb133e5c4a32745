"""Where things lie: coordinate systems, shifted datums, frames of reference, the nearest reach."""
