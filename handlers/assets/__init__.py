"""Takes in media that users send: identified by content, decoded in a sandbox, re-encoded."""
