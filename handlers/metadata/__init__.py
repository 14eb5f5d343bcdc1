"""The metadata group: measures the finished files, publishes the video, and clears or deletes a job's files.

Start with `handler` (the group), then `container_facts` (one MP4 file measured) and `platforms` (limits of publishing
services).
"""
