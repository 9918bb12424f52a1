"""What the world knows about models: JumpStart's catalogue, resolved purely from its specs."""
