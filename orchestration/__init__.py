"""Ray, and nothing but Ray: runs callables it is handed, knows no image, no label, no network."""
