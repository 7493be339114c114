"""Recovery cases: making good what went wrong, until the client is satisfied."""
