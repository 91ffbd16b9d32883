//! What is wrong with a row filter.

use crate::connect;
use crate::pg::{Ident, QualifiedName};
use crate::predicate::{Fault, NotBounded};
use crate::remedy::{Remedy, Setting};

/// A filter that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the filter of table {table} cannot be used: {reason}")]
pub struct FilterFault {
    /// The database.
    pub database: String,
    /// The table.
    pub table: QualifiedName,
    /// Why.
    pub reason: FilterFaultReason,
}

/// Why a filter cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FilterFaultReason {
    /// The text is no predicate.
    #[error("{0}")]
    NotScanned(Fault),
    /// The source does not accept it.
    #[error("{}", describe_answer(text, *position, error))]
    Refused {
        /// The predicate.
        text: String,
        /// The character in it, counted from 1, if the server names one.
        position: Option<usize>,
        /// The server's answer.
        error: Box<connect::Error>,
    },
    /// Its value may change from one evaluation to the next, or it may write.
    #[error("it calls a volatile function: {text}")]
    Volatile {
        /// The predicate.
        text: String,
    },
    /// The current time in it cannot be computed ahead of the rows.
    #[error("{fault} of: {text}")]
    NotBounded {
        /// The predicate.
        text: String,
        /// Where and why.
        fault: NotBounded,
        /// The instant of the run, as a constant.
        constant: String,
    },
    /// A string constant in it means the current time.
    #[error("the constant {literal} means the current time")]
    SpecialLiteral {
        /// The constant.
        literal: String,
        /// The instant of the run, as a constant.
        constant: String,
    },
    /// A value that depends on the current time is of a type of the user.
    #[error("the current time in it becomes a value of type {type_name}, which has no constant")]
    ConstantType {
        /// The type.
        type_name: String,
    },
    /// The column of a time filter does not exist.
    #[error(
        "the table has no column {column}; its columns of dates and timestamps: {}",
        list_names(candidates)
    )]
    NoColumn {
        /// The column.
        column: Ident,
        /// What could be meant.
        candidates: Vec<String>,
    },
    /// The column of a time filter is no time.
    #[error(
        "column {column} is of type {type_name}; a time filter requires timestamptz, timestamp or date; the table's \
         columns of these types: {}",
        list_names(candidates)
    )]
    TimeColumn {
        /// The column.
        column: Ident,
        /// Its type.
        type_name: String,
        /// Columns that have one of these types.
        candidates: Vec<String>,
    },
}

impl FilterFault {
    /// What the user can do about it.
    pub fn remedies(&self) -> Vec<Remedy> {
        match &self.reason {
            FilterFaultReason::NotBounded { constant, .. }
            | FilterFaultReason::SpecialLiteral { constant, .. } => {
                vec![format!("write the time as a constant, such as {constant}").into()]
            }
            FilterFaultReason::TimeColumn {
                column, type_name, ..
            } if is_number(type_name) => {
                let value = format!("{}:{column} >= …", self.table);
                vec![Remedy::PassValue(Setting::TableFilter, value)]
            }
            FilterFaultReason::TimeColumn { .. } => vec!["choose another column".into()],
            FilterFaultReason::Volatile { .. } => {
                vec!["use only functions that are IMMUTABLE or STABLE".into()]
            }
            FilterFaultReason::NotScanned(_)
            | FilterFaultReason::Refused { .. }
            | FilterFaultReason::ConstantType { .. }
            | FilterFaultReason::NoColumn { .. } => vec!["correct the filter".into()],
        }
    }
}

/// Whether values of a type may be times as numbers.
fn is_number(type_name: &str) -> bool {
    matches!(
        type_name,
        "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision"
    )
}

/// The server's message, and the place in the user's text.
fn describe_answer(text: &str, position: Option<usize>, error: &connect::Error) -> String {
    let message = match error.answer() {
        Some(answer) => format!("{} (SQLSTATE {})", answer.message, answer.code),
        None => error.to_string(),
    };
    match position {
        Some(position) => {
            let rest: String = text.chars().skip(position - 1).collect();
            format!("{message} at character {position}: {rest}")
        }
        None => format!("{message}: {text}"),
    }
}

fn list_names(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
