"""One file a scenario: what is measured is its `SCENARIO`."""
