"""The metadata group: what the finished files really are."""
