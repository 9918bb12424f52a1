"""Admits calls to models: Envoy asks it whether a call may go on, and when. A process of its own."""
