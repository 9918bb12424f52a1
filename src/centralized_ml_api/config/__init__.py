"""What the user wrote: text -> document -> typed config, with every mistake found, located and explained."""
