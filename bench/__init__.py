"""Ratios that are measured: what a plan, the engine, a start and a load test cost beside others."""
