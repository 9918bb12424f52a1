"""Everything that `mlapi up` does, from taking the state folder to the last process gone."""
