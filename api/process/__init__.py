"""Run processes: the API on a socket, and children under supervision."""
