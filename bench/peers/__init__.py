"""The programs that we compare with: a folder each, with a lock file, a configuration, an application."""
