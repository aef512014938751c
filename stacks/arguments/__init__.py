"""What each component of an environment is given: pure functions of what the stack file says.

For values that only exist later (IDs, addresses), `placeholders` stand.
"""
