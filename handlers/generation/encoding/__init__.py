"""Encodes pictures and sound into segments (`encode`), and joins segments to MP4 files (`assemble`)."""
