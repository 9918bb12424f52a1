"""What AWS asks for an hour of an instance and for a request, each price with its day and its source."""
