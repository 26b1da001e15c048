"""What people made, in SQLite or PostgreSQL: connections and migrations."""
