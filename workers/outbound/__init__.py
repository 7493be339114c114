"""Everything that leaves over a network: one client for HTTP, and the channels of messages."""
