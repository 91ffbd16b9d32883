//! A test per sslmode, certificate kind and server answer.
