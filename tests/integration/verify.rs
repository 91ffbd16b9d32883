//! Contents compared by digest.
