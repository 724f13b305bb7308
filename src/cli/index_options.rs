//! Translates the package index options of `uv venv` to those of pip.

use std::ffi::OsString;

/// What an option says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    /// Which index is asked.
    Url,
    /// Which one is asked as well.
    Extra,
    /// That none is.
    None,
    /// Which host need not prove who it is.
    Host,
    /// Who knows the passwords.
    Keyring,
    /// How new packages may be.
    Newer,
    /// Which of several indexes comes first.
    Strategy,
}

/// An option as it was given.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) name: String,
    pub(crate) index: Index,
    pub(crate) value: OsString,
}

/// The same for pip.
///
/// # Errors
///
/// What pip cannot do, and what to write instead.
pub(crate) fn pip_options(given: &[Given]) -> Result<Vec<OsString>, String> {
    let mut options = Vec::new();
    let mut url = None;
    for Given { name, index, value } in given {
        match index {
            Index::Url => {
                // To pip several would all be alike, and a stranger's package on one as good as one's own on another.
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
                    "{name} cannot be said to pip, which has only unsafe-best-match"
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

/// uv lets an index have a name: `internal=https://…`.
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

/// A day means its end to uv and its beginning to pip, and how long ago something was is not known to every pip.
fn is_time(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit()) && text.contains(['T', 't'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(given: &[(Index, &str)]) -> Result<Vec<String>, String> {
        let given: Vec<_> = given
            .iter()
            .map(|(index, value)| Given {
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
    fn an_index_is_the_index_and_not_one_more() {
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
    fn what_pip_knows_has_pips_name() {
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
