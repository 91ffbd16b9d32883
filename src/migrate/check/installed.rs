//! Extensions that exist in a used database of the target: whether they are where the source has them.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::cluster::finding::{Code, Finding, Level};
use crate::connect::{Endpoint, Purpose};
use crate::ddl::Target;
use crate::migrate::error::Error;
use crate::pg::Side;
use crate::pg::{Ident, Sql};
use crate::remedy::{Remedy, Setting};
use crate::sql;

/// An extension of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceExtension {
    name: Ident,
    schema: Ident,
    has_configuration: bool,
}

/// What of a database of the source must fit what exists in one of the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    extensions: Vec<SourceExtension>,
    schemas: BTreeSet<Ident>,
}

impl Expected {
    /// What a catalog expects.
    pub(super) fn of(catalog: &Catalog) -> Self {
        let extensions = catalog.extensions.iter().map(|extension| SourceExtension {
            name: extension.name.clone(),
            schema: extension.schema.clone(),
            has_configuration: !extension.config.is_empty(),
        });
        let schemas = catalog.schemas.iter().map(|schema| schema.name.clone());
        Self {
            extensions: extensions.collect(),
            schemas: schemas.collect(),
        }
    }
}

/// An extension of the target's database.
struct Installed {
    name: Ident,
    schema: Ident,
    is_relocatable: bool,
}

/// Compares the extensions and schemas of an existing database with what is expected of it.
///
/// # Errors
/// The target cannot be asked.
pub(crate) async fn examine_installed(
    database: &Endpoint,
    expected: &Expected,
    target: &Target,
) -> Result<Vec<Finding>, Error> {
    let side = Side::Target;
    let session = database.session(Purpose::Introspect).await;
    let session = session.map_err(Error::connect(side))?;
    let sql = Sql::fixed(include_str!("../sql/installed.sql"));
    let rows = session.query(&sql, &[]).await;
    let rows = rows.map_err(Error::examine(side))?;
    let mut findings = Vec::new();
    for row in &rows {
        let name = Ident::from_catalog(row.get::<_, String>("name"));
        match row.get::<_, Option<String>>("schema") {
            Some(schema) => findings.extend(judge_extension(
                &Installed {
                    name,
                    schema: Ident::from_catalog(schema),
                    is_relocatable: row.get("is_relocatable"),
                },
                expected,
                target,
            )),
            None if expected.schemas.contains(&name) && !row.get::<_, bool>("may_create") => {
                let message =
                    format!("schema {name} exists, and the connecting role may not create in it");
                let grant = sql!("GRANT CREATE ON SCHEMA {} TO {}", name, target.connected_as);
                let remedy = Remedy::RunOn(side, grant);
                let finding = Finding::new(Code::NoCreateInSchema, Level::Error, side, message);
                findings.push(finding.about(&name).remedy(remedy));
            }
            None => {}
        }
    }
    Ok(findings)
}

fn judge_extension(installed: &Installed, expected: &Expected, target: &Target) -> Vec<Finding> {
    let Installed {
        name,
        schema,
        is_relocatable,
    } = installed;
    let mut wanted = expected.extensions.iter();
    let Some(wanted) = wanted.find(|wanted| wanted.name == *name) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let prescribed = target.extensions.get(name).and_then(|a| a.schema.as_ref());
    if wanted.schema != *schema && prescribed != Some(schema) {
        let message = format!(
            "extension {name} exists in schema {schema}, on the source it is in {}",
            wanted.schema
        );
        let to = &wanted.schema;
        let create = sql!("CREATE SCHEMA IF NOT EXISTS {}", to);
        let moving = if *is_relocatable {
            sql!("{}; ALTER EXTENSION {} SET SCHEMA {}", create, name, to)
        } else {
            let drop = sql!("DROP EXTENSION {}", name);
            sql!(
                "{}; {}; CREATE EXTENSION {} SCHEMA {}",
                drop,
                create,
                name,
                to
            )
        };
        let remedy = Remedy::RunOn(Side::Target, moving);
        let skip = Remedy::PassValue(Setting::SkipExtensions, name.to_string());
        let code = Code::ExtensionSchema;
        let finding = Finding::new(code, Level::Error, Side::Target, message).about(name);
        findings.push(finding.remedy(remedy).remedy(skip));
    }
    if wanted.has_configuration {
        let message = format!(
            "extension {name} exists: rows of its configuration tables are replaced by the source's"
        );
        let code = Code::ExtensionConfiguration;
        let finding = Finding::new(code, Level::Warning, Side::Target, message);
        findings.push(finding.about(name));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::ServerVersion;

    fn name(text: &str) -> Ident {
        Ident::from_catalog(text)
    }

    fn judged(schema: &str, is_relocatable: bool) -> Vec<Finding> {
        let expected = Expected {
            extensions: vec![SourceExtension {
                name: name("e"),
                schema: name("a"),
                has_configuration: false,
            }],
            schemas: BTreeSet::new(),
        };
        let installed = Installed {
            name: name("e"),
            schema: name(schema),
            is_relocatable,
        };
        let target = Target::unrestricted(ServerVersion::new(170_000), BTreeSet::new());
        judge_extension(&installed, &expected, &target)
    }

    #[test]
    fn an_extension_elsewhere_is_an_error() {
        assert_eq!(judged("a", false), []);
        let create = r#"CREATE SCHEMA IF NOT EXISTS "a""#;
        let set = format!(r#"{create}; ALTER EXTENSION "e" SET SCHEMA "a""#);
        let again = format!(r#"DROP EXTENSION "e"; {create}; CREATE EXTENSION "e" SCHEMA "a""#);
        for (is_relocatable, statements) in [(true, set), (false, again)] {
            let [finding] = judged("b", is_relocatable).try_into().unwrap();
            let message = "extension e exists in schema b, on the source it is in a";
            assert_eq!(finding.message, message);
            let [Remedy::RunOn(Side::Target, sql), _] = &finding.remedies[..] else {
                panic!("{:?}", finding.remedies);
            };
            assert_eq!(sql.as_str(), statements);
        }
    }
}
