"""Ingest of users' media: fetched (`url_fetch`), identified (`sniff`), re-encoded in a sandbox (`ingest`)."""
