"""Texts as people bring them, with their right values; planned as a brief is."""
