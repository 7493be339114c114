"""Load tests: Locust users that use the public API only."""
