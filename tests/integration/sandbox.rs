//! Throw-away clusters.
