"""Plans a topic by a chat model (`client`, `prompt`); the answer is checked and may be corrected once (`plan`)."""
