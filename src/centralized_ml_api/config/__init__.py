"""What the user wrote: text -> document -> model, with every mistake found, placed and explained."""
