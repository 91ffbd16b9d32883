//! Which run an object belongs to. Two runs never have the same number, whichever machine they run on.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use serde::{Deserialize, Serialize};

/// A run of `init`, as its marks name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunTag {
    /// Its random number: 16 hexadecimal digits.
    pub number: String,
    /// The machine that it runs on.
    pub host: String,
    /// When it began, in UTC.
    pub started: String,
}

impl RunTag {
    /// The tag of a run that begins now.
    pub fn new() -> Self {
        // The hasher's keys come from the system's random numbers.
        let random = RandomState::new().build_hasher().finish();
        let now = jiff::Timestamp::now();
        let second = jiff::Timestamp::from_second(now.as_second()).unwrap_or(now);
        Self {
            number: format!("{random:016x}"),
            host: host_name(),
            started: second.to_string(),
        }
    }
}

impl Default for RunTag {
    fn default() -> Self {
        Self::new()
    }
}

/// The machine's name, for people.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let name = name.ok().or_else(|| std::env::var("HOSTNAME").ok());
    let name = name.map(|name| name.trim().to_owned());
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| "an unknown host".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_has_another_number() {
        let (one, other) = (RunTag::new(), RunTag::new());
        assert_ne!(one.number, other.number);
        assert_eq!(one.number.len(), 16);
    }
}
