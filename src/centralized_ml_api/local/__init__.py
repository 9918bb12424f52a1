"""Plan -> processes: one Envoy, one process per model replica, one Lambda host per function."""
