"""Services over HTTP: a small client with limits (`client`), and its use from pipelines' threads (`blocking`)."""
