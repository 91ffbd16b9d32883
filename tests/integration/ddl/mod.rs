//! Definitions: what is read on the source is the same on the target.

mod beyond;
mod checklist;
mod definitions;
mod dry_run;
mod evaluation;
mod extensions;
mod families;
mod foreign;
mod inherited;
mod keys;
mod keywords;
mod kinds;
mod loops;
mod names;
mod older;
mod omissions;
mod operators;
mod own_objects;
mod random;
