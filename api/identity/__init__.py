"""Authenticate requests: tokens, API keys, passwords, second factors and other identity providers."""
