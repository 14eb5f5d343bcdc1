"""An object store in a directory. Start with `store`; `meta` keeps digests and media types."""
