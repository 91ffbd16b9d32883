//! Figures that are kept, to be compared with later ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::contest::Score;
use super::support::median;

/// Seconds of each round: by contest, then by runner.
pub(crate) type Figures = BTreeMap<String, BTreeMap<String, Vec<f64>>>;

/// Where a baseline of this name is.
fn file(name: &str) -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    target
        .parent()
        .unwrap()
        .join(format!("copy-bench/{name}.json"))
}

/// The seconds of a contest's runners.
pub(crate) fn figures(scores: &[Score]) -> BTreeMap<String, Vec<f64>> {
    let entry = |score: &Score| (score.label.clone(), score.seconds.clone());
    scores.iter().map(entry).collect()
}

/// Keeps figures under a name; where the file is. Contests that were not run stay as they were kept.
pub(crate) fn save(name: &str, figures: &Figures) -> PathBuf {
    let file = file(name);
    let mut kept = fs::read(&file).map_or_else(
        |_| Figures::new(),
        |bytes| serde_json::from_slice(&bytes).unwrap(),
    );
    kept.extend(figures.clone());
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, serde_json::to_vec_pretty(&kept).unwrap()).unwrap();
    file
}

/// The figures that were kept under a name.
pub(crate) fn load(name: &str) -> Figures {
    let file = file(name);
    let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice(&bytes).unwrap()
}

/// What has changed in one contest since it was kept: seconds, and seconds measured in those of the
/// floor, which take the machine's mood out.
pub(crate) fn compare(
    before: &BTreeMap<String, Vec<f64>>,
    now: &BTreeMap<String, Vec<f64>>,
) -> String {
    let middle = |figures: &BTreeMap<String, Vec<f64>>, label: &str| {
        figures
            .get(label)
            .map(|seconds| median(seconds.iter().copied()))
    };
    let mut text = String::new();
    for label in now.keys() {
        let (Some(was), Some(is)) = (middle(before, label), middle(now, label)) else {
            continue;
        };
        text += &format!(
            "  {label:<16} {was:>7.2} s -> {is:>7.2} s, x {:.2}",
            is / was
        );
        if let (Some(was_floor), Some(floor)) = (middle(before, "floor"), middle(now, "floor")) {
            let (was, is) = (was / was_floor, is / floor);
            text += &format!("; {was:.2} -> {is:.2} floors, x {:.2}", is / was);
        }
        text.push('\n');
    }
    text
}
