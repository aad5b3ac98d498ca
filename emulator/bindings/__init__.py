"""Config → what each name in `env` answers; one file per product."""
