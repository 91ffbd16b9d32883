use crate::cli::Error;
use crate::selection::DatabaseMap;
use crate::selection::quoted::next_item;

/// Which databases get another name on the target.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Mapping {
    /// Database SRC of the source is named DST on the target; repeatable
    #[arg(long, value_name = "SRC=DST", help_heading = "Selection")]
    map_database: Vec<String>,
}

impl Mapping {
    /// The names on the target.
    ///
    /// # Errors
    /// A pair cannot be read, or contradicts another.
    pub(in crate::cli) fn map(&self) -> Result<DatabaseMap, Error> {
        let mut map = DatabaseMap::default();
        for pair in &self.map_database {
            let (source, target) = split(pair)?;
            if !map.add(source, target) {
                let message = format!("--map-database: {pair:?} contradicts another pair");
                return Err(Error::Usage { message });
            }
        }
        Ok(map)
    }
}

/// `source=target`; double quotes keep an equals sign and blanks, as in lists.
fn split(pair: &str) -> Result<(String, String), Error> {
    const FLAG: &str = "--map-database";
    let open = || Error::OpenQuote {
        flag: FLAG,
        text: pair.to_owned(),
    };
    let wrong = || Error::Usage {
        message: format!("{FLAG}: {pair:?} is not SRC=DST"),
    };
    let (source, rest) = next_item(pair, '=').ok_or_else(open)?;
    let (target, more) = next_item(rest.ok_or_else(wrong)?, '=').ok_or_else(open)?;
    if more.is_some() || [&source, &target].into_iter().any(String::is_empty) {
        return Err(wrong());
    }
    Ok((source, target))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[&str]) -> Result<DatabaseMap, Error> {
        let map_database = pairs.iter().map(|&pair| pair.to_owned()).collect();
        Mapping { map_database }.map()
    }

    #[test]
    fn names_are_trimmed_and_may_be_quoted() {
        let map = map(&[" a = b ", r#""x=y"="z ""q""""#]).unwrap();
        assert_eq!(map.target("a"), "b");
        assert_eq!(map.target("x=y"), "z \"q\"");
    }

    #[test]
    fn anything_else_is_a_usage_error() {
        for wrong in [&["a"][..], &["=b"], &["a="], &["a=b=c"], &["a=b", "a=c"]] {
            assert!(map(wrong).is_err(), "{wrong:?}");
        }
        assert!(map(&["a=c", "b=c"]).is_err());
    }
}
