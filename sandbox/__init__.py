"""`pulumi up` on a laptop: Pulumi's engine and Kubernetes' API server are real, clouds are not."""
