"""AWS's own SDK, which also resolves JumpStart models."""
