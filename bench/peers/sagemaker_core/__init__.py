"""AWS's own SDK, which resolves JumpStart models too."""
