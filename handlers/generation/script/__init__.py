"""From text to scenes: Markdown, scene documents, front matter and merge fields. Pure."""
