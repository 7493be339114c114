"""Infrastructure shared by all capabilities: tables, transactions, the ledger, the outbox, cursors and settings."""
