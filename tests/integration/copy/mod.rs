//! Rows and everything around them: whole copies, options, interrupted connections.

mod cuts;
mod encodings;
mod exclude;
mod faults;
mod filter_faults;
mod filters;
mod include;
mod inserts;
mod large_objects;
mod lost;
mod partial;
mod planner;
mod refusals;
mod rules;
mod same_cluster;
mod selection;
mod split;
mod transfer;
mod tuning;
mod whole;
