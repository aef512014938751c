"""The components for programs in TypeScript, Go, YAML and every other language of Pulumi."""
