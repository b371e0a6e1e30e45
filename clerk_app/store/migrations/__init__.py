"""Changes of schema, run at start. Each script stands alone: it never imports the tables of today."""
