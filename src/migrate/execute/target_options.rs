//! What a database of the target adds to the options of its script: asked before the script is rendered, by
//! the run in the database itself, by a dry run also before the database exists.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;
use crate::connect::{self, Endpoint, Purpose};
use crate::ddl;
use crate::migrate::execute::existing::{load_foreign_extensions, load_missing_label_providers};
use crate::migrate::execute::extensions::load_schemas;
use crate::pg::{Ident, Sql};

/// The options for a database that exists on the target.
///
/// # Errors
/// The target cannot be asked.
pub(crate) async fn load_options(
    target: &Endpoint,
    catalog: &Catalog,
    options: &ddl::Options,
) -> Result<ddl::Options, connect::Error> {
    let mut options = options.clone();
    options.target.missing_label_providers =
        load_missing_label_providers(target, &catalog.labels).await?;
    if !options.target.is_superuser {
        options.target.foreign_extensions = load_foreign_extensions(target).await?;
    }
    options.target.existing_schemas = load_schemas(target).await?;
    Ok(options)
}

/// The options for a database that will be emptied first, but for these extensions and their schemas.
///
/// # Errors
/// The target cannot be asked.
pub(crate) async fn foresee_emptied(
    target: &Endpoint,
    catalog: &Catalog,
    options: &ddl::Options,
    kept: &BTreeSet<Ident>,
) -> Result<ddl::Options, connect::Error> {
    let mut options = load_options(target, catalog, options).await?;
    options
        .target
        .foreign_extensions
        .retain(|name| kept.contains(name));
    let session = target.session(Purpose::Introspect).await?;
    let sql = Sql::fixed(
        "SELECT DISTINCT n.nspname::text FROM pg_catalog.pg_extension e \
           JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace \
          WHERE e.extname = ANY ($1::text[]::name[])",
    );
    let kept: Vec<&str> = kept.iter().map(Ident::as_str).collect();
    let rows = session.query(&sql, &[&kept]).await?;
    let names = rows.iter().map(|row| row.get::<_, String>(0));
    let schemas: BTreeSet<Ident> = names.map(Ident::from_catalog).collect();
    options
        .target
        .existing_schemas
        .retain(|name, _| schemas.contains(name));
    Ok(options)
}

/// The options for a database that will be created from `template0`; `beside` is another one of the
/// cluster. All that a new database has beside the server's own is `plpgsql`, which belongs to the
/// bootstrap superuser.
///
/// # Errors
/// The target cannot be asked.
pub(crate) async fn foresee_created(
    beside: &Endpoint,
    catalog: &Catalog,
    options: &ddl::Options,
) -> Result<ddl::Options, connect::Error> {
    let mut options = options.clone();
    options.target.existing_schemas = BTreeMap::new();
    options.target.missing_label_providers =
        load_missing_label_providers(beside, &catalog.labels).await?;
    let session = beside.session(Purpose::Introspect).await?;
    // The bootstrap superuser has this oid in every cluster.
    let ask = Sql::fixed("SELECT pg_catalog.pg_has_role(10::oid, 'USAGE')");
    let is_ours: bool = session.query_one(&ask, &[]).await?.get(0);
    if !options.target.is_superuser && !is_ours {
        let plpgsql = Ident::from_catalog("plpgsql");
        options.target.foreign_extensions.insert(plpgsql);
    }
    Ok(options)
}
