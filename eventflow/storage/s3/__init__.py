"""An object store in an S3 bucket.

Start with `store` (the port), then `client` (connections and deadlines), `upload` and `multipart` (large files that
resume), `copy`, `presign` (signed URLs) and `errors`.
"""
