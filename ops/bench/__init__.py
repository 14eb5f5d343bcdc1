"""Benchmarks. Each shows its figure beside a baseline of the same run: machines are noisy, so ratios count."""
