"""Services over HTTP: one small client with limits (`client`), called from pipelines' threads (`blocking`)."""
