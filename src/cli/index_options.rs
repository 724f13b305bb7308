//! Translates the package index options of `uv venv` to those of pip.

use std::ffi::OsString;

/// The kinds of index options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    /// The index URL.
    Url,
    /// An extra index URL.
    Extra,
    /// Do not use an index.
    None,
    /// A trusted host.
    Host,
    /// The keyring provider.
    Keyring,
    /// The latest upload time of packages.
    Newer,
    /// The priority of several indexes.
    Strategy,
}

/// An option on the command line.
#[derive(Debug, Clone)]
pub(crate) struct IndexOption {
    pub(crate) name: String,
    pub(crate) index: Index,
    pub(crate) value: OsString,
}

/// Converts the options to pip's.
///
/// # Errors
///
/// What pip cannot do, and what to write instead.
pub(crate) fn pip_options(given: &[IndexOption]) -> Result<Vec<OsString>, String> {
    let mut options = Vec::new();
    let mut url = None;
    for IndexOption { name, index, value } in given {
        match index {
            Index::Url => {
                // pip gives all indexes the same priority, so a package from one index could replace a private one from
                // another.
                let this = address(value);
                if url.as_ref().is_some_and(|other| *other != this) {
                    return Err(format!(
                        "{name} cannot be given twice: pip has no order of indexes; use --extra-index-url if you trust both alike"
                    ));
                }
                url = Some(this);
            }
            Index::Extra => options.push(option("--extra-index-url", value)),
            Index::None => options.push("--no-index".into()),
            Index::Host => options.push(option("--trusted-host", value)),
            Index::Keyring => options.push(option("--keyring-provider", value)),
            Index::Newer if is_time(&value.to_string_lossy()) => {
                options.push(option("--uploaded-prior-to", value));
            }
            Index::Newer => {
                return Err(format!(
                    "{name} needs a time such as 2026-01-31T00:00:00Z where pip installs"
                ));
            }
            Index::Strategy if value == "unsafe-best-match" => {}
            Index::Strategy => {
                return Err(format!(
                    "{name}={} is not supported by pip, which always uses unsafe-best-match",
                    value.display()
                ));
            }
        }
    }
    options.extend(url.map(|url| option("--index-url", &url)));
    Ok(options)
}

fn option(name: &str, value: &OsString) -> OsString {
    let mut option = OsString::from(name);
    option.push("=");
    option.push(value);
    option
}

/// Removes the name that uv allows before a URL: `internal=https://…`.
fn address(value: &OsString) -> OsString {
    let text = value.to_str().and_then(|text| text.split_once('='));
    let is_name = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match text {
        Some((name, address)) if is_name(name) => address.into(),
        _ => value.clone(),
    }
}

/// Whether this is a full timestamp. A date is its end for uv and its beginning for pip, and not every pip supports
/// durations.
fn is_time(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit()) && text.contains(['T', 't'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(given: &[(Index, &str)]) -> Result<Vec<String>, String> {
        let given: Vec<_> = given
            .iter()
            .map(|(index, value)| IndexOption {
                name: "--it".into(),
                index: *index,
                value: value.into(),
            })
            .collect();
        let options = pip_options(&given)?.into_iter();
        Ok(options
            .map(|option| option.into_string().unwrap())
            .collect())
    }

    #[test]
    fn an_index_url_replaces_the_default_index() {
        for value in ["https://a/simple", "name=https://a/simple"] {
            assert_eq!(
                options(&[(Index::Url, value)]).unwrap(),
                ["--index-url=https://a/simple"]
            );
        }
        let query = "https://a/simple?b=c";
        let same = [(Index::Url, query), (Index::Url, query)];
        assert_eq!(options(&same).unwrap(), [format!("--index-url={query}")]);
        let two = [(Index::Url, "https://a"), (Index::Url, "https://b")];
        assert!(options(&two).unwrap_err().contains("--extra-index-url"));
    }

    #[test]
    fn index_options_are_translated_to_those_of_pip() {
        let given = [
            (Index::Extra, "https://b"),
            (Index::None, ""),
            (Index::Host, "b"),
            (Index::Keyring, "subprocess"),
            (Index::Newer, "2026-01-31T00:00:00Z"),
            (Index::Strategy, "unsafe-best-match"),
        ];
        assert_eq!(
            options(&given).unwrap(),
            [
                "--extra-index-url=https://b",
                "--no-index",
                "--trusted-host=b",
                "--keyring-provider=subprocess",
                "--uploaded-prior-to=2026-01-31T00:00:00Z"
            ]
        );
        for (index, value) in [
            (Index::Newer, "2026-01-31"),
            (Index::Newer, "3 weeks"),
            (Index::Strategy, "first-index"),
        ] {
            assert!(options(&[(index, value)]).is_err(), "{value}");
        }
    }
}
