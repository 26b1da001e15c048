"""The paths of the studio: one table, from which requests are routed and OpenAPI is made."""
