"""The HTTP server: metrics and health for the operator, hooks and WebSub for the Internet."""
