"""Locust users that see only the wire."""
