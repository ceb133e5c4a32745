"""What to do: measures and their effect at every section, the cheapest plan that holds them all, how sure it is."""
