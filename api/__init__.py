"""The process: ASGI app, authentication, limits and the command line; the only place where the rooms are wired."""
