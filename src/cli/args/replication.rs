use crate::migrate::ReplicationOptions;

/// How the source is prepared for replication.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Replication")]
pub(in crate::cli) struct Replication {
    /// One-off copy by a plain snapshot, without publication and slot; also works on a standby
    #[arg(long)]
    no_sync: bool,

    /// Give tables without a replica identity the whole row as one; teardown restores them
    #[arg(long)]
    replica_identity_full: bool,
}

impl Replication {
    /// Whether replication is to follow.
    pub(in crate::cli) fn follows(&self) -> bool {
        !self.no_sync
    }

    /// How the source is prepared.
    pub(in crate::cli) fn options(&self, max_retained_wal: Option<u64>) -> ReplicationOptions {
        ReplicationOptions {
            identity_full: self.replica_identity_full,
            max_retained_wal,
        }
    }
}

/// Units of a size, by factors of 1024, the longest names first.
const UNITS: [(&str, u32); 5] = [("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10), ("B", 0)];

/// A size such as `500MB` or `20 GB`; a number alone is bytes.
pub(in crate::cli) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not a size such as 500MB or 20GB");
    let upper = text.trim().to_ascii_uppercase();
    let unit = UNITS
        .into_iter()
        .find_map(|(name, shift)| Some((upper.strip_suffix(name)?, shift)));
    let (digits, shift) = unit.unwrap_or((&upper, 0));
    let number: u64 = digits.trim_end().parse().map_err(|_| wrong())?;
    let bytes = number.checked_mul(1 << shift).ok_or_else(wrong)?;
    if bytes == 0 {
        return Err(wrong());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_by_1024() {
        assert_eq!(size("1"), Ok(1));
        assert_eq!(size("2kb"), Ok(2048));
        assert_eq!(size(" 20 GB "), Ok(20 << 30));
        assert_eq!(size("3TB"), Ok(3 << 40));
        for wrong in ["", "GB", "0", "-1", "1.5GB", "1PB", "99999999999TB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
