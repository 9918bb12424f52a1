"""What calls to engines with few places must keep to, decided before an engine sees them."""
