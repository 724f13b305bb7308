//! Reads the report of `pip install --report`: the distributions that pip installs.

use std::path::Path;

use fs_err as fs;
use serde::Deserialize;

#[derive(Deserialize)]
struct Report {
    install: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    download_info: Download,
    is_direct: bool,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Download {
    url: String,
    archive_info: Option<Archive>,
}

#[derive(Deserialize)]
struct Archive {
    hash: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

/// What was installed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sources {
    /// Wheels of an index.
    Wheels,
    /// Also a source distribution of this project, which was built here.
    Built(String),
}

/// Where the packages of a report come from.
///
/// # Errors
///
/// Why they cannot be kept.
pub(crate) fn sources(report: &Path) -> Result<Sources, String> {
    let text = fs::read(report).map_err(|error| error.to_string())?;
    let report: Report =
        serde_json::from_slice(&text).map_err(|error| format!("pip's report: {error}"))?;
    let mut sources = Sources::Wheels;
    for item in report.install {
        let (name, download) = (item.metadata.name, item.download_info);
        let has_hash = download.archive_info.is_some_and(|it| it.hash.is_some());
        if item.is_direct || !has_hash {
            return Err(format!("{name} does not come from an index"));
        }
        let path = download.url.split(['?', '#']).next().unwrap_or_default();
        if !path.ends_with(".whl") {
            sources = Sources::Built(name);
        }
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(items: &str) -> Result<Sources, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        fs::write(
            &path,
            format!("{{\"version\": \"1\", \"install\": [{items}]}}"),
        )
        .unwrap();
        sources(&path)
    }

    fn item(url: &str, info: &str, is_direct: bool) -> String {
        let info = format!("{{\"url\": \"{url}\", {info}}}");
        let metadata = r#""metadata": {"name": "one"}"#;
        format!("{{\"download_info\": {info}, \"is_direct\": {is_direct}, {metadata}}}")
    }

    #[test]
    fn only_packages_of_an_index_are_cached() {
        let archive = r#""archive_info": {"hash": "sha256=0", "hashes": {"sha256": "0"}}"#;
        let wheel = item("https://a/one-1-py3-none-any.whl", archive, false);
        assert_eq!(of(&wheel), Ok(Sources::Wheels));
        assert_eq!(of(""), Ok(Sources::Wheels));
        let source = item("https://a/one-1.tar.gz", archive, false);
        let both = format!("{source}, {wheel}");
        assert_eq!(of(&both), Ok(Sources::Built("one".into())));
        for item in [
            item("https://a/one-1-py3-none-any.whl", archive, true),
            item("file:///one", r#""dir_info": {"editable": true}"#, true),
            item("https://a/one", r#""vcs_info": {"vcs": "git"}"#, true),
            item("https://a/one.whl", r#""archive_info": {}"#, false),
        ] {
            assert!(of(&item).is_err(), "{item}");
        }
    }
}
