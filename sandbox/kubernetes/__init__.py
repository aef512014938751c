"""Kubernetes: a real API server, the plugin that talks to it, and simulated controllers."""
