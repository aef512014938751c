"""Alibaba Cloud, simulated: what the provider checks and the cloud refuses, in one file."""
