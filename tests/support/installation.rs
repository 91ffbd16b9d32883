//! Servers with our test extensions. A server finds its share folder relative to its own program, so the programs are
//! copied beside a folder of links.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use seren_replicator::sandbox::{Binaries, Builder, Cluster, cache_folder};

/// A server of a major with the extension files of these folders of `tests/cases/extensions`.
pub(crate) fn with_extensions(major: u32, folders: &[&str]) -> Builder {
    let origin = Origin::find(major);
    let files = extension_files(folders);
    let mut digest = DefaultHasher::new();
    (major, &origin.programs, &files).hash(&mut digest);
    let name = format!("seren-installation-{major}-{:016x}", digest.finish());
    let place = std::env::temp_dir().join(name);
    if !place.exists() {
        let work = tempfile::tempdir_in(std::env::temp_dir()).unwrap();
        fs::set_permissions(work.path(), fs::Permissions::from_mode(0o755)).unwrap();
        origin.fill(work.path(), &files);
        // Another process may have been faster.
        if fs::rename(work.path(), &place).is_ok() {
            let _gone = work.keep();
        }
    }
    Cluster::builder(major).with_binaries(&within(&place, &origin.programs))
}

/// A path of this machine, below a place.
fn within(place: &Path, path: &Path) -> PathBuf {
    place.join(path.strip_prefix("/").unwrap())
}

/// Where an installation has its programs and its share folder.
struct Origin {
    programs: PathBuf,
    share: PathBuf,
}

/// Names and contents.
fn extension_files(folders: &[&str]) -> Vec<(String, Vec<u8>)> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/extensions");
    let mut files = Vec::new();
    for folder in folders {
        for entry in fs::read_dir(cases.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            files.push((name, fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

impl Origin {
    fn find(major: u32) -> Self {
        // It fetches the programs, if need be.
        drop(Binaries::find(major).unwrap());
        let variable = std::env::var_os(format!("SEREN_POSTGRES_{major}")).map(PathBuf::from);
        let cached = cache_folder().join(major.to_string()).join("bin");
        let system = PathBuf::from(format!("/usr/lib/postgresql/{major}/bin"));
        let mut folders = variable.into_iter().chain([cached, system]);
        let programs = folders.find(|folder| folder.join("initdb").is_file());
        let programs = programs.unwrap();
        let home = programs.parent().unwrap();
        let own = [home.join("share/postgresql"), home.join("share")];
        let system = PathBuf::from(format!("/usr/share/postgresql/{major}"));
        let mut shares = own.into_iter().chain([system]);
        let share = shares.find(|folder| folder.join("extension").is_dir());
        let share = share.unwrap();
        Self { programs, share }
    }

    /// Rebuilds the installation below a place: relative paths are the same there.
    fn fill(&self, place: &Path, files: &[(String, Vec<u8>)]) {
        let (programs, share) = (within(place, &self.programs), within(place, &self.share));
        let extensions = share.join("extension");
        for folder in [&programs, &extensions] {
            fs::create_dir_all(folder).unwrap();
            // Another user runs the server.
            for folder in folder.ancestors().take_while(|one| *one != place) {
                fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        for program in ["initdb", "postgres"] {
            fs::copy(self.programs.join(program), programs.join(program)).unwrap();
        }
        let library = self.programs.parent().unwrap().join("lib");
        symlink(&library, within(place, &library)).unwrap();
        for (name, content) in files {
            fs::write(extensions.join(name), content).unwrap();
        }
        link_all(&self.share, &share);
        link_all(&self.share.join("extension"), &extensions);
    }
}

/// Links everything of a folder that is not there yet.
fn link_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let link = to.join(path.file_name().unwrap());
        if !link.exists() {
            symlink(&path, &link).unwrap();
        }
    }
}
