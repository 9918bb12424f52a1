"""A deployment of Ray Serve that sends on what it is sent."""
