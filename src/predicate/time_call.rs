//! Finds calls of the current time among tokens.

use std::ops::Range;

use super::moment::Moment;
use super::text::catalog_name;
use super::token::{Kind, Token};

/// The places of all calls of the current time: of a function its name, without the parentheses.
pub(super) fn find_time_places(text: &str, tokens: &[Token]) -> Vec<Range<usize>> {
    let places = tokens.iter().enumerate();
    let calls = places.filter(|(at, _)| is_time_at(text, tokens, *at));
    calls.map(|(_, token)| token.span.clone()).collect()
}

/// Whether a call of the current time has its own name here.
pub(super) fn is_time_at(text: &str, tokens: &[Token], at: usize) -> bool {
    let token = &tokens[at];
    if token.kind == Kind::Word && Moment::of_word(&text[token.span.clone()]).is_some() {
        return !follows_dot(tokens, at);
    }
    let Some(name) = catalog_name(text, token) else {
        return false;
    };
    Moment::is_function(&name) && is_call_of_server(text, tokens, at)
}

/// The place of `age` with one argument.
pub(super) fn find_age(text: &str, tokens: &[Token]) -> Option<usize> {
    let is_age = |at: usize| {
        catalog_name(text, &tokens[at]).is_some_and(|name| name == "age")
            && is_call_of_server(text, tokens, at)
            && count_arguments(&tokens[at + 1..]) == 1
    };
    let at = (0..tokens.len()).find(|at| is_age(*at))?;
    Some(tokens[at].span.start)
}

fn follows_dot(tokens: &[Token], at: usize) -> bool {
    at.checked_sub(1)
        .is_some_and(|before| tokens[before].kind == Kind::Dot)
}

/// Whether a name is called as a function, and is in no schema other than the server's own.
fn is_call_of_server(text: &str, tokens: &[Token], at: usize) -> bool {
    let is_call = tokens
        .get(at + 1)
        .is_some_and(|next| next.kind == Kind::Open);
    if !is_call || !follows_dot(tokens, at) {
        return is_call;
    }
    let schema = at
        .checked_sub(2)
        .and_then(|at| catalog_name(text, &tokens[at]));
    schema.is_some_and(|schema| schema == "pg_catalog")
}

/// The number of arguments in the parentheses that the tokens begin with.
fn count_arguments(tokens: &[Token]) -> usize {
    let (mut depth, mut commas, mut inside) = (0_usize, 0, 0);
    for token in tokens {
        commas += usize::from(depth == 1 && token.kind == Kind::Comma);
        depth += usize::from(token.kind.opens());
        depth -= usize::from(token.kind.closes());
        if depth == 0 {
            break;
        }
        inside += 1;
    }
    if inside > 1 { commas + 1 } else { 0 }
}
