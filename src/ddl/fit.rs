//! Fits a catalog to its target: the one way from what the source has to the statements that are run.

use super::downgrade::downgrade;
use super::error::Error;
use super::exclude::exclude_objects;
use super::omission::Omission;
use super::options::Options;
use super::orphans::allow_orphans;
use super::script::render_script;
use super::statement::Script;
use crate::catalog::Catalog;
use crate::selection::TableScope;

/// What a catalog became for a target.
#[derive(Debug)]
pub struct Fitted {
    /// What was removed from the catalog or changed in it, and why.
    pub omissions: Vec<Omission>,
    /// The statements that create what the catalog has now.
    pub script: Result<Script, Error>,
}

/// Brings a catalog to what the target can hold and is to get, and renders its script. The checks, the dry
/// run and the run all call this.
///
/// The catalog also loses what is excluded where there is no script, so that the checks can look at the
/// rest.
pub fn fit(catalog: &mut Catalog, options: &Options, scope: &TableScope) -> Fitted {
    let downgraded = downgrade(catalog, options);
    let excluded = exclude_objects(catalog, options, scope);
    let orphans = match options.include.orphans {
        true => allow_orphans(catalog, &scope.rules),
        false => Vec::new(),
    };
    match downgraded {
        Ok(mut omissions) => {
            omissions.extend(excluded);
            omissions.extend(orphans);
            Fitted {
                omissions,
                script: render_script(catalog, options),
            }
        }
        Err(error) => Fitted {
            omissions: excluded,
            script: Err(error),
        },
    }
}
