"""A simulator of one environment: how long its users would wait, what runs where, what it costs.

`ack-inference simulate` shows it. What is simulated is read off the plan of a stack; what is not in
it is traffic, and how long things take (`times`).
"""
