from components.serving.deployment_model import DeploymentServe


class ServeSection(Args):
    deployment: DeploymentServe | None = None
    """By a plain Deployment, scaled on metrics of the GPU."""
