"""A topic becomes scenes by a chat model (`client`), in words of ours (`prompt`), checked and mended once (`plan`)."""
