"""Translates between the APIs of clients and of model servers: JavaScript that every target runs as it is.

`index.mjs` says what it translates, and how it is called.
"""

from pathlib import Path

CODE = Path(__file__).parent
"""The folder of the modules; they import nothing from outside of it but Node's own."""
