//! Reads a `pyvenv.cfg` of any tool. (`venv::pyvenv_cfg` renders one.)

/// The value of a key, parsed as `site` does.
pub(crate) fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once('='));
    let found = pairs.find(|(found, _)| found.trim().eq_ignore_ascii_case(key));
    found.map(|(_, value)| value.trim())
}
