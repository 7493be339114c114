"""What answers below each path: GraphQL over HTTP, WebSocket and SSE, ingest, sign-in, pages and health."""
