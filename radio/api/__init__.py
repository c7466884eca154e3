"""HTTP, WebSocket and the one port: how the outside reaches the service."""
