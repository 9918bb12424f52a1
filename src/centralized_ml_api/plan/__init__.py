"""What will exist: frozen data, decided purely from the config."""
