"""ASGI application, authentication, limits and command line; the package that connects all others."""
