use super::selection::{items, next_item};
use crate::catalog::RoleMap;
use crate::cli::Error;
use crate::connect::ToastCompression;
use crate::ddl;
use crate::migrate::ClusterOptions;
use crate::pg::Ident;

/// What is carried over beside schema and rows.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is carried over")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(in crate::cli) struct Carried {
    /// Everything belongs to the connecting role
    #[arg(long)]
    no_owner: bool,

    /// No grants and no default privileges
    #[arg(long)]
    no_privileges: bool,

    /// Make no roles: every owner and grantee must exist on the target
    #[arg(long)]
    no_roles: bool,

    /// New roles get no passwords
    #[arg(long, conflicts_with = "no_roles")]
    no_role_passwords: bool,

    /// Everything in the default tablespace, also where the target has one of the same name
    #[arg(long)]
    no_tablespaces: bool,

    /// No comments
    #[arg(long)]
    no_comments: bool,

    /// No security labels
    #[arg(long)]
    no_security_labels: bool,

    /// NEW stands for OLD as owner, grantee, grantor, member and wherever else; repeatable
    #[arg(long, value_name = "OLD=NEW")]
    role_map: Vec<String>,

    /// Leave out these extensions, their objects and whatever depends on them; each is listed
    #[arg(long, value_name = "LIST")]
    skip_extensions: Vec<String>,

    /// Make databases with this locale of the target's system instead of the source's
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    locale: Option<String>,

    /// How large values are compressed that the columns say nothing about
    #[arg(long, value_enum, default_value_t = Toast::Lz4, value_name = "METHOD")]
    toast_compression: Toast,

    /// Whether roles and databases of a managed service are left alone
    #[arg(long, value_enum, default_value_t = Provider::Auto)]
    provider: Provider,

    /// Copy to an older major version too: what it lacks is left out, made otherwise or refused, each told
    #[arg(long)]
    allow_older_target: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Provider {
    /// Where its administrative role marks the cluster as one of its own
    Auto,
    /// Nothing counts as a managed service's own
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Toast {
    /// By LZ4, where the target has it
    Lz4,
    /// By the server's own method
    Pglz,
    /// As the target's settings say
    Keep,
}

impl Carried {
    /// How the target compresses large values.
    pub(in crate::cli) const fn toast_compression(&self) -> ToastCompression {
        match self.toast_compression {
            Toast::Lz4 => ToastCompression::Lz4,
            Toast::Pglz => ToastCompression::Pglz,
            Toast::Keep => ToastCompression::Keep,
        }
    }

    /// What of the definitions is carried over.
    ///
    /// # Errors
    /// A list or a pair of roles cannot be read.
    pub(in crate::cli) fn definitions(&self) -> Result<ddl::Carried, Error> {
        let skipped = items("--skip-extensions", &self.skip_extensions)?;
        Ok(ddl::Carried {
            owners: !self.no_owner,
            privileges: !self.no_privileges,
            comments: !self.no_comments,
            rows: true,
            security_labels: !self.no_security_labels,
            tablespaces: !self.no_tablespaces,
            role_map: role_map(&self.role_map)?,
            provider: None,
            skipped_extensions: skipped.into_iter().map(Ident::from_catalog).collect(),
        })
    }

    /// What of the cluster is carried over.
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
            let message = format!("--role-map: two roles are to stand for {old}");
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
