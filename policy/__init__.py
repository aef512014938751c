"""What a stack must hold to: rules over its resources, run by a plan and by Pulumi's engine."""
