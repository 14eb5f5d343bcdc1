"""What `eventflow doctor` looks at, part by part."""
