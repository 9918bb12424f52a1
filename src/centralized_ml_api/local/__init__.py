"""The local target: plan -> processes. One Envoy, one process per model replica, one Lambda host per function."""
