use super::selection::{items, object_entries};
use crate::catalog::RoleMap;
use crate::cli::Error;
use crate::connect::ToastCompression;
use crate::ddl;
use crate::migrate::ClusterOptions;
use crate::pg::Ident;
use crate::selection::ObjectEntry;
use crate::selection::quoted::next_item;

/// What `init` copies besides the rows.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Definitions and roles")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(in crate::cli) struct Definitions {
    /// Do not copy owners: the connecting role owns every object
    #[arg(long, hide_short_help = true)]
    no_owner: bool,

    /// Do not copy privileges and default privileges
    #[arg(long, hide_short_help = true)]
    no_privileges: bool,

    /// Do not create roles: every owner and grantee must exist on the target
    #[arg(long, hide_short_help = true)]
    no_roles: bool,

    /// Create roles without passwords
    #[arg(long, conflicts_with = "no_roles", hide_short_help = true)]
    no_role_passwords: bool,

    /// Create foreign keys to rows that are not copied; they stay NOT VALID
    #[arg(long, hide_short_help = true)]
    allow_orphans: bool,

    /// Use the default tablespace, even if the target has a tablespace of the same name
    #[arg(long, hide_short_help = true)]
    no_tablespaces: bool,

    /// Do not copy comments
    #[arg(long, hide_short_help = true)]
    no_comments: bool,

    /// Do not copy security labels
    #[arg(long, hide_short_help = true)]
    no_security_labels: bool,

    /// Replace role OLD by NEW everywhere: owner, grantee, grantor, member; repeatable
    #[arg(long, value_name = "OLD=NEW", hide_short_help = true)]
    role_map: Vec<String>,

    /// Skip these extensions, their objects and all dependent objects, and list each; comma-separated, repeatable
    #[arg(long, value_name = "LIST", hide_short_help = true)]
    skip_extensions: Vec<String>,

    /// Exclude these views, functions, triggers, indexes and constraints with all dependent objects, and list each
    ///
    /// The list is comma-separated and repeatable. A name is object, schema.object, schema.table.object,
    /// database.schema.object or database.schema.table.object. A function's name applies to all functions of that
    /// name. Tables, types and policies, and what they depend on, cannot be excluded.
    #[arg(long, value_name = "LIST", hide_short_help = true)]
    exclude_objects: Vec<String>,

    /// Create databases with this locale of the target's operating system [default: the source's locale]
    #[arg(long, value_name = "NAME", hide_short_help = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    locale: Option<String>,

    /// Compression method for large values (TOAST) of columns without a method of their own
    #[arg(long, value_enum, default_value_t = Toast::Lz4, value_name = "METHOD", hide_short_help = true)]
    toast_compression: Toast,

    /// Whether to skip the roles and objects of a managed service (RDS, Cloud SQL, Azure, …)
    #[arg(long, value_enum, default_value_t = Provider::Auto, value_name = "PROVIDER", hide_short_help = true)]
    provider: Provider,

    /// Allow a target of an older major version; features that it lacks are skipped, replaced or refused, and listed
    #[arg(long, hide_short_help = true)]
    allow_older_target: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Provider {
    /// Skip them if the administrative role of such a service exists
    Auto,
    /// Copy them like any other object
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Toast {
    /// LZ4, if the target supports it
    Lz4,
    /// The built-in method of PostgreSQL
    Pglz,
    /// The target's default_toast_compression
    Keep,
}

impl Definitions {
    /// How the target compresses large values.
    pub(in crate::cli) const fn toast_compression(&self) -> ToastCompression {
        match self.toast_compression {
            Toast::Lz4 => ToastCompression::Lz4,
            Toast::Pglz => ToastCompression::Pglz,
            Toast::Keep => ToastCompression::Keep,
        }
    }

    /// Which definitions are copied.
    ///
    /// # Errors
    /// A list or a pair of roles cannot be read.
    pub(in crate::cli) fn include(&self) -> Result<ddl::Include, Error> {
        let skipped = items("--skip-extensions", &self.skip_extensions)?;
        Ok(ddl::Include {
            owners: !self.no_owner,
            privileges: !self.no_privileges,
            comments: !self.no_comments,
            rows: true,
            security_labels: !self.no_security_labels,
            orphans: self.allow_orphans,
            tablespaces: !self.no_tablespaces,
            role_map: role_map(&self.role_map)?,
            provider: None,
            skipped_extensions: skipped.into_iter().map(Ident::from_catalog).collect(),
        })
    }

    /// The objects that are excluded by name.
    ///
    /// # Errors
    /// An item is empty, a quote is left open, or a name has too many parts or an empty one.
    pub(in crate::cli) fn excluded_objects(&self) -> Result<Vec<ObjectEntry>, Error> {
        object_entries("--exclude-objects", &self.exclude_objects)
    }

    /// Which cluster-wide objects are copied.
    pub(in crate::cli) fn cluster(&self) -> ClusterOptions {
        ClusterOptions {
            roles: !self.no_roles,
            role_passwords: !self.no_role_passwords,
            locale: self.locale.clone(),
            provider: self.provider == Provider::Auto,
            allow_older_target: self.allow_older_target,
        }
    }
}

fn role_map(pairs: &[String]) -> Result<RoleMap, Error> {
    let mut map = RoleMap::default();
    for pair in pairs {
        let (old, new) = split(pair)?;
        if !map.add(old.clone(), new) {
            let message = format!("--role-map: two roles are to replace {old}");
            return Err(Error::Usage { message });
        }
    }
    Ok(map)
}

/// `old=new`; double quotes keep an equals sign and blanks, as in lists.
fn split(pair: &str) -> Result<(Ident, Ident), Error> {
    const FLAG: &str = "--role-map";
    let open = || Error::OpenQuote {
        flag: FLAG,
        text: pair.to_owned(),
    };
    let wrong = || Error::Usage {
        message: format!("{FLAG}: {pair:?} is not OLD=NEW"),
    };
    let (old, rest) = next_item(pair, '=').ok_or_else(open)?;
    let (new, more) = next_item(rest.ok_or_else(wrong)?, '=').ok_or_else(open)?;
    if more.is_some() {
        return Err(wrong());
    }
    let name = |text: String| Ident::new(text).map_err(|_| wrong());
    Ok((name(old)?, name(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(text: &str) -> Option<(String, String)> {
        let (old, new) = split(text).ok()?;
        Some((old.as_str().to_owned(), new.as_str().to_owned()))
    }

    fn names(old: &str, new: &str) -> Option<(String, String)> {
        Some((old.to_owned(), new.to_owned()))
    }

    #[test]
    fn a_pair_of_roles_is_trimmed_and_may_be_quoted() {
        assert_eq!(pair("a=b"), names("a", "b"));
        assert_eq!(pair(" a = b "), names("a", "b"));
        assert_eq!(pair(r#""a=b"="c ""d""#), names("a=b", "c \"d"));
    }

    #[test]
    fn anything_else_is_a_usage_error() {
        for text in ["a", "=b", "a=", "a=b=c", "", "\"a=b", "a=\"b"] {
            assert_eq!(pair(text), None, "{text}");
        }
        assert!(role_map(&["a=b".to_owned(), "a=c".to_owned()]).is_err());
        assert!(role_map(&["a=c".to_owned(), "b=c".to_owned()]).is_ok());
    }
}
