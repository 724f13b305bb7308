//! The names of the interpreter on Windows: launchers that start the base, or links to it and its libraries.
//!
//! This is compiled on every system, since the files of the base are among the facts about it.

use crate::interpreter::platform::{Platform, is_debug};
use crate::interpreter::{Interpreter, WindowsBuild};
use crate::options::Links;
use crate::venv::context::Context;
use crate::venv::executables::{Placement, PlacementKind};

/// The entries of `Scripts` that are the interpreter.
pub(crate) fn placements(
    context: &Context,
    interpreter: &Interpreter,
    build: &WindowsBuild,
    links: Links,
) -> Vec<Placement> {
    let base = Base {
        context,
        build,
        is_debug: is_debug(&context.python_exe),
    };
    if interpreter.version < [3, 7, 2] {
        return base.copy_of_base(links);
    }
    match (interpreter.at_least(3, 13), links) {
        (false, Links::Copy) => base.launchers_by_name(interpreter.at_least(3, 9)),
        (false, Links::Symlink) => base.links_to_all(),
        (true, Links::Copy) => base.launchers(interpreter),
        (true, Links::Symlink) => base.links_to_programs(interpreter),
    }
}

/// The replacements for links if the system cannot create them.
pub(crate) fn replace_links(
    context: &Context,
    interpreter: &Interpreter,
    build: &WindowsBuild,
    links: Vec<Placement>,
) -> Vec<Placement> {
    if interpreter.at_least(3, 13) {
        return placements(context, interpreter, build, Links::Copy);
    }
    let base = Base {
        context,
        build,
        is_debug: is_debug(&context.python_exe),
    };
    let copies_base = interpreter.version < [3, 7, 2];
    let copied = links.into_iter().filter_map(|placement| {
        let source = match placement.kind {
            PlacementKind::Link(target) if copies_base => Some(target),
            PlacementKind::Link(_) => base.launcher(&placement.name),
            PlacementKind::Copy(source) => Some(source),
        };
        let kind = PlacementKind::Copy(source?);
        Some(Placement { kind, ..placement })
    });
    copied.collect()
}

/// The path of `init.tcl` relative to the environment, and its source.
pub(crate) fn tcl(build: &WindowsBuild) -> Option<(String, &str)> {
    let source = build.tcl.as_deref()?;
    let folder = source.rsplit(['\\', '/']).nth(1)?;
    Some((format!("Lib/{folder}"), source))
}

struct Base<'a> {
    context: &'a Context,
    build: &'a WindowsBuild,
    is_debug: bool,
}

impl Base<'_> {
    /// Up to 3.7.1 an environment contained the base's binaries.
    fn copy_of_base(&self, links: Links) -> Vec<Placement> {
        let included = |name: &str| {
            name.ends_with(".pyd")
                || name.ends_with(".dll")
                || name.starts_with("python") && name.ends_with(".exe")
        };
        let libraries = Platform::Windows.join(&self.context.python_dir, "DLLs");
        let base_files = self.build.base_files.iter();
        let base_files = base_files.map(|name| (name, &self.context.python_dir));
        let library_files = self.build.library_files.iter();
        let library_files = library_files.map(|name| (name, &libraries));
        let mut all = vec![self.placement(
            &self.context.python_exe,
            links,
            self.context.executable.clone(),
        )];
        for (name, folder) in base_files
            .chain(library_files)
            .filter(|(name, _)| included(name))
        {
            let duplicate = all.iter_mut().find(|one| is_same(&one.name, name));
            let placement = self.placement(name, links, Platform::Windows.join(folder, name));
            match duplicate {
                // The later one replaces the earlier.
                Some(duplicate) => *duplicate = placement,
                None => all.push(placement),
            }
        }
        all
    }

    #[expect(clippy::unused_self, reason = "the others need it")]
    fn placement(&self, name: &str, links: Links, source: String) -> Placement {
        let kind = match links {
            Links::Symlink => PlacementKind::Link(source),
            Links::Copy => PlacementKind::Copy(source),
        };
        Placement {
            name: name.to_owned(),
            kind,
        }
    }

    /// 3.7.2 to 3.12: a launcher for each of the base's usual names, since 3.9 also for the invoked one.
    fn launchers_by_name(&self, with_invoked_name: bool) -> Vec<Placement> {
        let mut names = vec!["python.exe", "python_d.exe", "pythonw.exe", "pythonw_d.exe"];
        let invoked = self.context.python_exe.as_str();
        if with_invoked_name && !names.iter().any(|name| is_same(name, invoked)) {
            names.push(invoked);
        }
        let existing = names
            .into_iter()
            .filter(|name| contains(&self.build.base_files, name));
        let placed = existing.filter_map(|name| {
            Some(Placement {
                name: name.to_owned(),
                kind: PlacementKind::Copy(self.launcher(name)?),
            })
        });
        placed.collect()
    }

    /// The file that is copied for a program of the base (`symlink_or_copy`); `None` if it does not exist.
    fn launcher(&self, name: &str) -> Option<String> {
        if !self.build.is_build && contains(&self.build.launcher_files, name) {
            return Some(Platform::Windows.join(&self.build.launchers, name));
        }
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let (stem, debug) = match stem.strip_suffix("_d") {
            Some(stem) => (stem, "_d"),
            None => (stem, ""),
        };
        let stem = match stem {
            "python" => "venvlauncher",
            "pythonw" => "venvwlauncher",
            other => other,
        };
        let name = format!("{stem}{debug}.{extension}");
        contains(&self.build.base_files, &name)
            .then(|| Platform::Windows.join(&self.context.python_dir, &name))
    }

    /// 3.7.2 to 3.12: "a complete copy of the root directory".
    fn links_to_all(&self) -> Vec<Placement> {
        let is_included = |name: &&String| {
            let lower = name.to_ascii_lowercase();
            let is_python = lower.starts_with("python") || lower.starts_with("vcruntime");
            (lower.ends_with(".exe") || lower.ends_with(".dll"))
                && (is_python || !self.build.is_build)
        };
        let names = self.build.base_files.iter().filter(is_included);
        names.map(|name| self.link(name, name)).collect()
    }

    /// Since 3.13: the console and windowed launchers, under all their names.
    fn launchers(&self, interpreter: &Interpreter) -> Vec<Placement> {
        let folder = if self.build.is_build {
            &self.context.python_dir
        } else {
            &self.build.launchers
        };
        let (debug, threads) = (self.debug(), suffix(interpreter.free_threaded, "t"));
        let names = self.names(interpreter).into_iter();
        let launchers = names.map(|(name, window)| {
            let launcher = format!("venv{window}launcher{threads}{debug}.exe");
            Placement {
                name,
                kind: PlacementKind::Copy(Platform::Windows.join(folder, &launcher)),
            }
        });
        launchers.collect()
    }

    /// Since 3.13: the same names as links to the programs, and the libraries that they need.
    fn links_to_programs(&self, interpreter: &Interpreter) -> Vec<Placement> {
        let debug = self.debug();
        let mut threads = threads_suffix(interpreter);
        // 3.15: a free-threaded Python may only have the plain names.
        if interpreter.at_least(3, 15)
            && !contains(
                &self.build.base_files,
                &format!("python{threads}{debug}.exe"),
            )
        {
            threads.clear();
        }
        let names = self.names(interpreter).into_iter();
        let programs = names
            .map(|(name, window)| self.link(&name, &format!("python{window}{threads}{debug}.exe")));
        let is_library = |name: &&String| {
            let lower = name.to_ascii_lowercase();
            lower.ends_with(".dll")
                && (lower.starts_with("python") || lower.starts_with("vcruntime"))
        };
        let libraries = self.build.base_files.iter().filter(is_library);
        programs
            .chain(libraries.map(|name| self.link(name, name)))
            .collect()
    }

    /// The names of the interpreter since 3.13; the windowed one has a `w`.
    fn names(&self, interpreter: &Interpreter) -> Vec<(String, &'static str)> {
        let mut names = Vec::new();
        for window in ["", "w"] {
            for threads in [String::new(), threads_suffix(interpreter)] {
                for debug in ["", self.debug()] {
                    let name = (format!("python{window}{threads}{debug}.exe"), window);
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
            }
        }
        names
    }

    fn link(&self, name: &str, target: &str) -> Placement {
        let target = Platform::Windows.join(&self.context.python_dir, target);
        self.placement(name, Links::Symlink, target)
    }

    fn debug(&self) -> &'static str {
        suffix(self.is_debug, "_d")
    }
}

fn threads_suffix(interpreter: &Interpreter) -> String {
    let [major, minor, _] = interpreter.version;
    if interpreter.free_threaded {
        format!("{major}.{minor}t")
    } else {
        String::new()
    }
}

fn suffix(is_wanted: bool, text: &'static str) -> &'static str {
    if is_wanted { text } else { "" }
}

fn contains(names: &[String], name: &str) -> bool {
    names.iter().any(|one| is_same(one, name))
}

/// Compares file names on Windows, which are not case-sensitive.
fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

#[cfg(test)]
mod tests;
