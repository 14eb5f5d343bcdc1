"""Mermaid's notation of diagrams: flowcharts, sequence diagrams and pies, in a subset."""
