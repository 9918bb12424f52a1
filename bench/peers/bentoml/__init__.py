"""A BentoML service that sends on what it is sent."""
