"""How facts reach open sockets: the ledger as Redis streams, one reader a process, many listeners."""
