"""What every app stands on: actors and history, digests, number parsing, jobs, roles, typed errors."""
