"""What every capability stands on: tables, transactions, the ledger, the outbox, cursors and settings."""
