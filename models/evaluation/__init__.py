"""Measures recognition: one code for training, command line and benchmarks."""
