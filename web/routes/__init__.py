"""The routes, one file per resource; `web.app` lists them. Read `jobs` first, then `generate`."""
