"""The upload group: from the workspace to where viewers reach it."""
