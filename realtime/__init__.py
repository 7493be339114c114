"""Delivery of facts to connected clients: the ledger as Redis streams, one reader per process, many listeners."""
