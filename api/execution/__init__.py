"""Admit, weigh, cache and execute GraphQL documents."""
