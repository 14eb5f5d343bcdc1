"""Compares the stores with the log: orphaned, missing and damaged files, and open multipart uploads.

`check` walks stores and jobs together; `referenced_files` are the files that a job's events name.
"""
