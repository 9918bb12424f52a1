"""C3: how one machine serves an entry."""
