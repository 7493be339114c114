"""Errors, logs, metrics, rate limits, caches and migrations, for every part of the API."""
