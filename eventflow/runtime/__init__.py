"""The consumer runtime: delivers events to handlers and commits what they return."""
