//! One query per kind of object, each for the whole database or cluster. What a version of the
//! server may lack is asked for by name in the row's JSON form, where an absent column is NULL:
//! so one text serves all versions.

mod row;

pub mod acl;
pub mod comment;
pub mod database;
pub mod default_acl;
pub mod roles;
pub mod transfer;
pub mod unsupported;

use row::{Columns, query};
