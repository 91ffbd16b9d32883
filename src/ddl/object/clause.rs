//! Clauses that several kinds share.

use crate::catalog::model::{Column, ObjectId, Options};
use crate::ddl::context::Context;
use crate::pg::{Fragment, Ident, Literal, QualifiedName, Sql};
use crate::sql;

/// `ALTER … OWNER TO …`, unless owners are not wanted. `object` is the word and the name.
pub(super) fn owner(context: &Context<'_>, object: &Sql, owner: &Ident) -> Option<Sql> {
    let owner = new_owner(context, owner)?;
    Some(sql!("ALTER {} OWNER TO {}", object, owner))
}

/// The same for what only superusers can own: it stays with the role that creates it where the owner
/// is none on the target.
pub(super) fn superuser_owner(context: &Context<'_>, object: &Sql, owner: &Ident) -> Option<Sql> {
    let is_kept = stays_with_creator(context, owner);
    (!is_kept).then(|| self::owner(context, object, owner))?
}

/// Whether what only superusers can own stays with the role that creates it.
pub(crate) fn stays_with_creator(context: &Context<'_>, owner: &Ident) -> bool {
    let target = &context.options.target;
    let owner = context.role(owner);
    context.options.include.owners
        && target.roles.contains(owner)
        && !target.superusers.contains(owner)
}

/// The role of the target that is to own something, unless owners are not wanted.
pub(super) fn new_owner<'a>(context: &Context<'a>, owner: &'a Ident) -> Option<&'a Ident> {
    if !context.options.include.owners {
        return None;
    }
    let owner = context.role(owner);
    *context
        .owners
        .borrow_mut()
        .entry(owner.clone())
        .or_default() += 1;
    Some(owner)
}

/// A statement that creates a relation, in its tablespace where the target has that. Said by the
/// session, as a clause would have to go into the middle of what the server deparsed.
pub(super) fn in_tablespace(context: &Context<'_>, tablespace: Option<&Ident>, sql: Sql) -> Sql {
    match context.options.tablespace(tablespace) {
        None => sql,
        Some(name) => sql!(
            "SET default_tablespace = {}; {}; SET default_tablespace = ''",
            name,
            sql
        ),
    }
}

/// ` COLLATE …`, where a collation is set.
pub(super) fn collate(collation: Option<&QualifiedName>) -> Sql {
    collation.map_or_else(Sql::default, |name| sql!(" COLLATE {}", name))
}

/// `name=value` with both quoted.
pub(super) fn render_options(options: &Options) -> impl Iterator<Item = Sql> {
    let options = options.iter();
    options.map(|(name, value)| sql!("{}={}", Ident::from_catalog(name.as_str()), Literal(value)))
}

/// ` WITH (…)` of a relation and its TOAST table; nothing without options.
pub(super) fn with_options(options: &Options, toast_options: &Options) -> Sql {
    let toast = render_options(toast_options).map(|option| sql!("toast.{}", option));
    let all: Vec<Sql> = render_options(options).chain(toast).collect();
    if all.is_empty() {
        Sql::default()
    } else {
        sql!(" WITH ({})", Sql::join(all, ", "))
    }
}

/// ` USING …` for a table access method other than the server's own.
pub(super) fn using(access_method: Option<&Ident>) -> Sql {
    match access_method {
        Some(name) if name.as_str() != "heap" => sql!(" USING {}", name),
        _ => Sql::default(),
    }
}

/// What columns of a table or materialized view get after their relation is created, in one
/// statement; `relation` says `ONLY`, lest children change, too. Foreign tables take no compression this way.
pub(super) fn column_settings(
    context: &Context<'_>,
    relation: &Sql,
    columns: &[Column],
    takes_compression: bool,
) -> Option<Sql> {
    let takes_compression = takes_compression && context.target().has_column_compression();
    let actions: Vec<Sql> = columns
        .iter()
        .flat_map(|column| column_actions(column, takes_compression))
        .collect();
    (!actions.is_empty()).then(|| sql!("ALTER TABLE {} {}", relation, Sql::join(actions, ", ")))
}

fn column_actions(column: &Column, takes_compression: bool) -> Vec<Sql> {
    let set = |what: Sql| sql!("ALTER COLUMN {} SET {}", column.name, what);
    let statistics = column
        .statistics
        .map(|target| set(sql!("STATISTICS {}", target)));
    let storage = column
        .storage
        .map(|storage| set(sql!("STORAGE {}", Sql::fixed(storage.word()))));
    let compression = column
        .compression
        .filter(|_| takes_compression)
        .map(|method| set(sql!("COMPRESSION {}", Sql::fixed(method.word()))));
    let options = (!column.options.is_empty()).then(|| {
        set(sql!(
            "({})",
            Sql::join(render_options(&column.options), ", ")
        ))
    });
    [statistics, storage, compression, options]
        .into_iter()
        .flatten()
        .collect()
}

/// `ALTER … DEPENDS ON EXTENSION …` for each extension with which an object goes.
pub(super) fn depends_on_extension(context: &Context<'_>, id: ObjectId, object: &Sql) -> Vec<Sql> {
    context
        .bound_to_extension(id)
        .iter()
        .map(|extension| sql!("ALTER {} DEPENDS ON EXTENSION {}", object, extension.name))
        .collect()
}

/// Text between dollars, with a tag that does not occur in it.
pub(super) struct DollarQuoted<'a>(pub(super) &'a str);

impl Fragment for DollarQuoted<'_> {
    fn write_sql(&self, out: &mut String) {
        let mut tag = String::from("$$");
        let mut attempt = 0_u32;
        // A `$` at the end of the text would join the closing tag.
        while self.0.contains(&tag) || self.0.ends_with('$') && tag == "$$" {
            tag = format!("$body{attempt}$");
            attempt += 1;
        }
        out.push_str(&tag);
        out.push_str(self.0);
        out.push_str(&tag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_does_not_occur_in_the_text() {
        let quoted = |text| sql!("{}", DollarQuoted(text)).as_str().to_owned();
        assert_eq!(quoted("a"), "$$a$$");
        assert_eq!(quoted("a $$ $body0$"), "$body1$a $$ $body0$$body1$");
        assert_eq!(quoted("a$"), "$body0$a$$body0$");
    }

    #[test]
    fn option_names_and_values_cannot_leave_their_place() {
        let options = vec![("fillfactor".to_owned(), "70) --'".to_owned())];
        let toast = vec![("autovacuum_enabled".to_owned(), "off".to_owned())];
        assert_eq!(
            with_options(&options, &toast).as_str(),
            r#" WITH ("fillfactor"='70) --''', toast."autovacuum_enabled"='off')"#
        );
    }
}
