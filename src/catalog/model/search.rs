use std::str::FromStr;

use super::relation::letters;
use super::{Class, ObjectId};
use crate::pg::{Ident, QualifiedName, Sql, UnknownLetter};

/// A parser, template, dictionary or configuration of full text search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Its row.
    pub id: ObjectId,
    /// What it is.
    pub kind: SearchKind,
    /// Its name.
    pub name: QualifiedName,
    /// Its owner; parsers and templates have none.
    pub owner: Option<Ident>,
    /// What is between the parentheses: functions, the template with its options, the parser.
    pub definition: Sql,
    /// Of a configuration: the dictionaries that each kind of token is given to, as SQL.
    pub mappings: Vec<(Ident, Sql)>,
}

letters! {
    /// What a text search object is, as its query says.
    SearchKind, "kind of text search object" {
        /// It cuts text into tokens.
        Parser = "parser" => "PARSER",
        /// The functions of dictionaries.
        Template = "template" => "TEMPLATE",
        /// It brings tokens to one form.
        Dictionary = "dictionary" => "DICTIONARY",
        /// It hands tokens to dictionaries.
        Configuration = "configuration" => "CONFIGURATION",
    }
}

impl SearchKind {
    /// The catalog that holds it.
    pub const fn class(self) -> Class {
        match self {
            Self::Parser => Class::SearchParser,
            Self::Template => Class::SearchTemplate,
            Self::Dictionary => Class::SearchDictionary,
            Self::Configuration => Class::SearchConfiguration,
        }
    }
}
