//! Schemas: source, our script, target, and pg_dump as the judge.
