"""From a network and a result to a map that asks no other host."""
