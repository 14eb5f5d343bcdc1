"""A topic becomes scenes: by a chat model (`client`), asked in our words (`prompt`), checked and mended once (`plan`)."""
