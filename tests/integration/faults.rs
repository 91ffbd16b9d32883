//! Bad input and broken servers: a clear error, and nothing changed.
