//! The main job: whole copies.
