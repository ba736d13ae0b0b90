"""Campaign definitions: the reviewed TOML files that say where a trigger goes and what it must carry."""
