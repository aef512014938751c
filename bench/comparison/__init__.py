"""The stack `dev` in Terraform, Helm and YAML, next to its stack file."""
