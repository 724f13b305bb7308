//! Tests of the executables on Windows, version by version.

use super::*;
use crate::interpreter::Scheme;
use crate::options::Options;
use std::path::Path;

/// The facts about a Python installed from python.org.
fn installed(version: [u32; 3]) -> Interpreter {
    let folder = format!(r"C:\Program Files\Python{}{}", version[0], version[1]);
    let executable = format!(r"{folder}\python.exe");
    let launchers = if version >= [3, 13, 0] {
        &["venvlauncher.exe", "venvwlauncher.exe", "venvlaunchert.exe"][..]
    } else {
        &["python.exe", "pythonw.exe"]
    };
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    Interpreter {
        executable: executable.clone(),
        base_executable: executable.clone(),
        real_executable: executable,
        version,
        implementation: "cpython".into(),
        cache_tag: None,
        magic: String::new(),
        free_threaded: false,
        debug: false,
        platform: Platform::Windows,
        prerelease: String::new(),
        multiarch: None,
        markers: crate::interpreter::Markers::default(),
        is_64bit: true,
        utf8_file_system: true,
        scheme: Scheme {
            include: "Include".into(),
            purelib: "Lib/site-packages".into(),
            platlib: "Lib/site-packages".into(),
        },
        stdlib: format!(r"{folder}\Lib"),
        aliases: Vec::new(),
        wheels: None,
        witnesses: Vec::new(),
        windows: Some(WindowsBuild {
            is_build: false,
            launchers: format!(r"{folder}\Lib\venv\scripts\nt"),
            launcher_files: names(launchers),
            base_files: names(&[
                "Python.exe",
                "pythonw.exe",
                "python3.dll",
                "python3x.dll",
                "vcruntime140.dll",
                "other.dll",
                "uninstall.exe",
            ]),
            library_files: names(&["_ssl.pyd", "tcl86t.dll", "readme.exe"]),
            tcl: None,
            machine: "win-amd64".into(),
        }),
    }
}

fn context(interpreter: &Interpreter) -> Context {
    Context::new(
        Path::new(r"D:\work\env"),
        interpreter,
        &Options::default(),
        None,
    )
    .unwrap()
}

/// `name <- source` for a copy, `name -> target` for a link, without the base's directory.
fn described(interpreter: &Interpreter, links: Links) -> Vec<String> {
    let context = context(interpreter);
    let all = crate::venv::executables::placements(&context, interpreter, links);
    describe(&context, all)
}

fn describe(context: &Context, all: Vec<Placement>) -> Vec<String> {
    let below = |path: String| {
        let rest = path.strip_prefix(&context.python_dir).unwrap();
        rest.trim_start_matches('\\').to_owned()
    };
    let line = |one: Placement| match one.kind {
        PlacementKind::Link(target) => format!("{} -> {}", one.name, below(target)),
        PlacementKind::Copy(source) => format!("{} <- {}", one.name, below(source)),
    };
    all.into_iter().map(line).collect()
}

#[test]
fn up_to_3_12_the_launchers_have_the_names_of_the_base() {
    for version in [[3, 8, 10], [3, 12, 1]] {
        assert_eq!(
            described(&installed(version), Links::Copy),
            [
                r"python.exe <- Lib\venv\scripts\nt\python.exe",
                r"pythonw.exe <- Lib\venv\scripts\nt\pythonw.exe",
            ]
        );
    }
}

#[test]
fn since_3_9_there_is_also_the_invoked_name() {
    for (version, expected) in [([3, 8, 10], 2), ([3, 9, 0], 3)] {
        let mut python = installed(version);
        python.base_executable = python.base_executable.replace("python.exe", "py-own.exe");
        python
            .windows
            .as_mut()
            .unwrap()
            .base_files
            .push("py-own.exe".into());
        let described = described(&python, Links::Copy);
        assert_eq!(described.len(), expected, "{described:?}");
        // There is no launcher with its name, so venv copies the program.
        assert_eq!(
            described.contains(&"py-own.exe <- py-own.exe".to_owned()),
            expected == 3
        );
    }
}

#[test]
fn since_3_13_the_launchers_have_names_of_their_own() {
    let python = installed([3, 13, 1]);
    assert_eq!(
        described(&python, Links::Copy),
        [
            r"python.exe <- Lib\venv\scripts\nt\venvlauncher.exe",
            r"pythonw.exe <- Lib\venv\scripts\nt\venvwlauncher.exe",
        ]
    );
    let free_threaded = Interpreter {
        free_threaded: true,
        base_executable: r"C:\Program Files\Python313\python3.13t.exe".into(),
        ..python
    };
    assert_eq!(
        described(&free_threaded, Links::Copy),
        [
            r"python.exe <- Lib\venv\scripts\nt\venvlaunchert.exe",
            r"python3.13t.exe <- Lib\venv\scripts\nt\venvlaunchert.exe",
            r"pythonw.exe <- Lib\venv\scripts\nt\venvwlaunchert.exe",
            r"pythonw3.13t.exe <- Lib\venv\scripts\nt\venvwlaunchert.exe",
        ]
    );
    assert_eq!(
        context(&free_threaded).env_exe,
        r"D:\work\env\Scripts\python.exe"
    );
}

#[test]
fn a_debug_build_has_its_own_launchers_and_both_names() {
    let mut python = installed([3, 13, 1]);
    python.base_executable = r"C:\Program Files\Python313\python_d.exe".into();
    assert_eq!(
        described(&python, Links::Copy),
        [
            r"python.exe <- Lib\venv\scripts\nt\venvlauncher_d.exe",
            r"python_d.exe <- Lib\venv\scripts\nt\venvlauncher_d.exe",
            r"pythonw.exe <- Lib\venv\scripts\nt\venvwlauncher_d.exe",
            r"pythonw_d.exe <- Lib\venv\scripts\nt\venvwlauncher_d.exe",
        ]
    );
    assert_eq!(
        context(&python).env_exe,
        r"D:\work\env\Scripts\python_d.exe"
    );
}

#[test]
fn links_include_the_libraries_and_fall_back_to_copies() {
    let python = installed([3, 12, 1]);
    let relocate_all = [
        "Python.exe -> Python.exe",
        "pythonw.exe -> pythonw.exe",
        "python3.dll -> python3.dll",
        "python3x.dll -> python3x.dll",
        "vcruntime140.dll -> vcruntime140.dll",
        "other.dll -> other.dll",
        "uninstall.exe -> uninstall.exe",
    ];
    assert_eq!(described(&python, Links::Symlink), relocate_all);
    let context = context(&python);
    let links = crate::venv::executables::placements(&context, &python, Links::Symlink);
    let copies = crate::venv::executables::replace_links(&context, &python, links).unwrap();
    assert_eq!(
        describe(&context, copies)[..3],
        [
            r"Python.exe <- Lib\venv\scripts\nt\Python.exe",
            r"pythonw.exe <- Lib\venv\scripts\nt\pythonw.exe",
            r"python3.dll <- python3.dll",
        ]
    );
}

#[test]
fn since_3_13_all_links_are_created_or_none() {
    let python = installed([3, 13, 1]);
    assert_eq!(
        described(&python, Links::Symlink),
        [
            "python.exe -> python.exe",
            "pythonw.exe -> pythonw.exe",
            "python3.dll -> python3.dll",
            "python3x.dll -> python3x.dll",
            "vcruntime140.dll -> vcruntime140.dll",
        ]
    );
    let context = context(&python);
    let links = crate::venv::executables::placements(&context, &python, Links::Symlink);
    let copies = crate::venv::executables::replace_links(&context, &python, links).unwrap();
    assert_eq!(describe(&context, copies), described(&python, Links::Copy));
}

#[test]
fn up_to_3_7_1_the_binaries_themselves_are_copied() {
    for version in [[3, 6, 8], [3, 7, 1]] {
        assert_eq!(
            described(&installed(version), Links::Copy),
            [
                "python.exe <- python.exe",
                "pythonw.exe <- pythonw.exe",
                "python3.dll <- python3.dll",
                "python3x.dll <- python3x.dll",
                "vcruntime140.dll <- vcruntime140.dll",
                "other.dll <- other.dll",
                r"_ssl.pyd <- DLLs\_ssl.pyd",
                r"tcl86t.dll <- DLLs\tcl86t.dll",
            ]
        );
    }
}

#[test]
fn a_build_from_source_takes_everything_from_its_own_folder() {
    for version in [[3, 12, 1], [3, 13, 1]] {
        let mut python = installed(version);
        let build = python.windows.as_mut().unwrap();
        build.is_build = true;
        build.base_files.push("venvlauncher.exe".into());
        build.base_files.push("venvwlauncher.exe".into());
        build.tcl = Some(r"C:\externals\tcltk\lib\tcl8.6\init.tcl".into());
        assert_eq!(
            described(&python, Links::Copy),
            [
                "python.exe <- venvlauncher.exe",
                "pythonw.exe <- venvwlauncher.exe",
            ]
        );
        let (folder, source) = crate::venv::executables::tcl(&python).unwrap();
        assert_eq!(folder, "Lib/tcl8.6");
        assert!(source.ends_with("init.tcl"));
    }
}
