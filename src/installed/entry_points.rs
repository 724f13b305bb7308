//! Parses `entry_points.txt` (entry points specification).

/// An entry point that becomes a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryPoint {
    /// The script's name.
    pub(crate) name: String,
    pub(crate) module: String,
    pub(crate) function: String,
}

/// The entry points in `entry_points.txt` that become scripts: `console_scripts` and then `gui_scripts`, which only
/// differ on Windows.
///
/// # Errors
///
/// An invalid entry point: one that distlib rejects, or whose name points outside the scripts directory.
pub(crate) fn read(text: &str) -> Result<Vec<EntryPoint>, String> {
    let mut points: [Vec<EntryPoint>; 2] = Default::default();
    let mut group = None;
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']))
    {
        if let Some(section) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            group = ["console_scripts", "gui_scripts"]
                .iter()
                .position(|known| *known == section.trim());
        } else if let Some(group) = group {
            let point =
                entry_point(line).ok_or_else(|| format!("{line:?} is not a valid entry point"))?;
            points[group].retain(|other| other.name != point.name);
            points[group].push(point);
        }
    }
    Ok(points.concat())
}

fn entry_point(line: &str) -> Option<EntryPoint> {
    let (name, value) = line.split_once('=')?;
    // The specification allows extras, but scripts ignore them.
    let reference = value.split('[').next().unwrap_or_default();
    let (module, function) = reference.split_once(':')?;
    let (name, module, function) = (name.trim(), module.trim(), function.trim());
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_');
    let is_dotted = |path: &str| path.split('.').all(is_word);
    let escapes = matches!(name, "" | "." | "..")
        || name.contains(|c: char| {
            matches!(c, '/' | '\\' | ':' | '[') || c.is_whitespace() || c.is_control()
        });
    if escapes || !is_dotted(module) || !is_dotted(function) {
        return None;
    }
    Some(EntryPoint {
        name: name.into(),
        module: module.into(),
        function: function.into(),
    })
}

#[cfg(test)]
mod tests {
    use crate::installed::entry_points::read;

    fn names(text: &str) -> Vec<String> {
        read(text)
            .unwrap()
            .into_iter()
            .map(|point| point.name)
            .collect()
    }

    #[test]
    fn only_script_groups_are_read() {
        let text = "[distutils.commands]\nx = broken\n\n# said\n[console_scripts]\n a = m:f\n\
                    [gui_scripts]\nb=m.n:f.g [extra]\n[ console_scripts ]\nc = m : f\n";
        assert_eq!(names(text), ["a", "c", "b"]);
        assert_eq!(names(""), [""; 0]);
    }

    #[test]
    fn the_last_entry_point_of_a_name_wins() {
        let points = read("[console_scripts]\na = m:f\na = m:g\n").unwrap();
        assert_eq!(points.len(), 1);
        assert_eq!(points[0].function, "g");
    }

    #[test]
    fn invalid_entry_points_are_refused() {
        let lines = [
            "a",
            "a = m",
            "a = m:",
            "a = :f",
            "a = m:f:g",
            "a = m;import os:f",
            "a = m:f()",
            "../a = m:f",
            "/a = m:f",
            "a/b = m:f",
            ".. = m:f",
            " = m:f",
            "a b = m:f",
            "a\\b = m:f",
            "c:a = m:f",
            "a = m..n:f",
        ];
        for line in lines {
            let error = read(&format!("[console_scripts]\n{line}\n")).unwrap_err();
            assert!(error.contains("not a valid entry point"), "{line}");
        }
    }
}
