"""Kubernetes: a real API server, the plugin that talks to it, stand-ins for what runs in it."""
