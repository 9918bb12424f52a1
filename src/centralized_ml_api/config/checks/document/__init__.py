"""C0: the file as text, and the shape of what it holds."""
