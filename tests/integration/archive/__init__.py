"""The archive on a real valkey-server and local files."""
