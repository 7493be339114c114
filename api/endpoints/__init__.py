"""Endpoints: GraphQL over HTTP, WebSocket and SSE, ingest, sign-in, pages and health."""
