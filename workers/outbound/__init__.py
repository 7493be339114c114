"""Outgoing network traffic: the HTTP client and the channels of messages."""
