"""HTTP mechanics that every route shares."""
