"""Where specs come from: a lock file, a cache, JumpStart's buckets or a mirror, the shipped snapshot."""
