use std::path::{Path, PathBuf};

/// Where fetched programs are kept: `SEREN_CACHE`, for root a folder that other users can read,
/// else the user's cache.
pub fn cache_folder() -> PathBuf {
    const NAME: &str = "postgres-seren-replicator/postgres";
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = set("SEREN_CACHE") {
        return PathBuf::from(folder);
    }
    if rustix::process::geteuid().is_root() {
        return Path::new("/var/cache").join(NAME);
    }
    let user = set("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || set("HOME").map(|home| Path::new(&home).join(".cache"));
    user.or_else(home)
        .unwrap_or_else(std::env::temp_dir)
        .join(NAME)
}
