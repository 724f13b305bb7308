//! The names of the interpreter in the environment (`venv/__init__.py`, `setup_python`).

mod windows;

use crate::interpreter::Interpreter;
use crate::options::Links;
use crate::venv::context::Context;

/// An entry of `bin` that is the interpreter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    /// Its file name.
    pub(crate) name: String,
    /// Whether it is a link or a copy.
    pub(crate) kind: PlacementKind,
}

/// How one of the interpreter's names is created.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PlacementKind {
    /// A symlink with this target.
    Link(String),
    /// A copy of this file, with the mode 0755.
    Copy(String),
}

/// The names of the interpreter in `bin`, the invoked one first (`venv/__init__.py`, `setup_python`).
///
/// The invoked name is an absolute link to the base as it was invoked. The others are relative links to it.
pub(crate) fn placements(
    context: &Context,
    interpreter: &Interpreter,
    links: Links,
) -> Vec<Placement> {
    if let Some(build) = &interpreter.windows {
        return windows::placements(context, interpreter, build, links);
    }
    let base = &context.executable;
    let invoked = match links {
        Links::Symlink => PlacementKind::Link(base.clone()),
        Links::Copy => PlacementKind::Copy(base.clone()),
    };
    let mut placements = vec![Placement {
        name: context.python_exe.clone(),
        kind: invoked,
    }];
    for alias in interpreter
        .aliases
        .iter()
        .filter(|&alias| *alias != context.python_exe)
    {
        let kind = match links {
            Links::Symlink => PlacementKind::Link(context.python_exe.clone()),
            // bpo-18807: copies if symlinks are not wanted.
            Links::Copy => PlacementKind::Copy(base.clone()),
        };
        placements.push(Placement {
            name: alias.clone(),
            kind,
        });
    }
    placements
}

/// The replacements for `links` if the system cannot create them: copies, or launchers if that version has them.
pub(crate) fn replace_links(
    context: &Context,
    interpreter: &Interpreter,
    links: Vec<Placement>,
) -> Option<Vec<Placement>> {
    let build = interpreter.windows.as_ref()?;
    Some(windows::replace_links(context, interpreter, build, links))
}

/// The directory for `init.tcl` in an environment whose Python would not find it otherwise, and the file to copy.
pub(crate) fn tcl(interpreter: &Interpreter) -> Option<(String, &str)> {
    windows::tcl(interpreter.windows.as_ref()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interpreter::Scheme;
    use crate::interpreter::platform::Platform;
    use crate::options::Options;
    use std::path::Path;

    /// A framework build on macOS, invoked through Homebrew's link.
    fn framework() -> Interpreter {
        let stub = "/opt/homebrew/opt/python@3.12/bin/python3.12";
        let cellar = "/opt/homebrew/Cellar/python@3.12/3.12.1";
        Interpreter {
            executable: stub.into(),
            base_executable: stub.into(),
            real_executable: format!(
                "{cellar}/Frameworks/Python.framework/Versions/3.12/bin/python3.12"
            ),
            version: [3, 12, 1],
            implementation: "cpython".into(),
            cache_tag: None,
            magic: String::new(),
            free_threaded: false,
            debug: false,
            platform: Platform::Darwin,
            prerelease: String::new(),
            multiarch: None,
            markers: crate::interpreter::Markers::default(),
            is_64bit: true,
            utf8_file_system: true,
            scheme: Scheme {
                include: "include/python3.12".into(),
                purelib: "lib/python3.12/site-packages".into(),
                platlib: "lib/python3.12/site-packages".into(),
            },
            stdlib: String::new(),
            aliases: ["python", "python3", "python3.12"]
                .map(str::to_owned)
                .into(),
            wheels: None,
            witnesses: Vec::new(),
            windows: None,
        }
    }

    #[test]
    fn on_macos_the_link_names_the_stub_as_invoked() {
        let python = framework();
        let context = Context::new(Path::new("/e"), &python, &Options::default(), None).unwrap();
        assert_eq!(context.python_dir, "/opt/homebrew/opt/python@3.12/bin");
        assert_eq!(context.env_exe, "/e/bin/python3.12");
        assert!(!python.links_lib64());
        assert_eq!(python.platform.shebang_limit(), 512);
        for (links, expected) in [
            (
                Links::Symlink,
                PlacementKind::Link(python.executable.clone()),
            ),
            (Links::Copy, PlacementKind::Copy(python.executable.clone())),
        ] {
            let placements = placements(&context, &python, links);
            let names: Vec<_> = placements.iter().map(|one| one.name.as_str()).collect();
            assert_eq!(names, ["python3.12", "python", "python3"]);
            assert_eq!(placements[0].kind, expected);
        }
        assert!(replace_links(&context, &python, Vec::new()).is_none());
    }
}
