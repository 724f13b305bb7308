//! Creates small wheels and installed packages for tests of pip, without pip.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::env::TestEnv;

/// A wheel of one pure module `name` with a console script `name` that prints `version` and the
/// prefix, in `folder`. The RECORD has no hashes, which pip accepts.
pub(crate) fn write_wheel(env: &TestEnv, folder: &Path, name: &str, version: &str) -> PathBuf {
    let unpacked = env.root().join(format!("{name}-{version}"));
    let info = format!("{name}-{version}.dist-info");
    let module = format!(
        "import sys\n\ndef main():\n    print({version:?}, sys.prefix)\n\n\
         if __name__ == '__main__':\n    main()\n"
    );
    let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    let wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    let entry_points = format!("[console_scripts]\n{name} = {name}:main\n");
    // `pip` itself must be a package with `__main__` to be run as `python -m pip`.
    let record = format!(
        "{name}/__init__.py,,\n{name}/__main__.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n\
         {info}/entry_points.txt,,\n{info}/RECORD,,\n"
    );
    for (path, text) in [
        (format!("{name}/__init__.py"), module.as_str()),
        (format!("{name}/__main__.py"), module.as_str()),
        (format!("{info}/METADATA"), &metadata),
        (format!("{info}/WHEEL"), wheel),
        (format!("{info}/entry_points.txt"), &entry_points),
        (format!("{info}/RECORD"), &record),
    ] {
        let path = unpacked.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::create_dir_all(folder).unwrap();
    let path = folder.join(format!("{name}-{version}-py3-none-any.whl"));
    let script = "import os, sys, zipfile\n\
                  with zipfile.ZipFile(sys.argv[2], 'w') as z:\n\
                  \x20   for top, _, names in os.walk(sys.argv[1]):\n\
                  \x20       for n in names:\n\
                  \x20           p = os.path.join(top, n)\n\
                  \x20           z.write(p, os.path.relpath(p, sys.argv[1]))\n";
    let python = &crate::interpreters::newest().executable;
    let paths = [unpacked.to_str().unwrap(), path.to_str().unwrap()];
    env.run(python, ["-c", script, paths[0], paths[1]])
        .succeeds();
    path
}

/// Lays down an installed distribution of one package, with a script in `bin`, as an installer would.
pub(crate) fn write_installed(site_packages: &Path, name: &str, version: &str) {
    let info = format!("{name}-{version}.dist-info");
    let record = format!(
        "../../../bin/{name},,\n{name}/__init__.py,,\n{name}/only_here.py,,\n{info}/INSTALLER,,\n\
         {info}/METADATA,,\n{info}/RECORD,,\n"
    );
    let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    for (path, text) in [
        (format!("{name}/__init__.py"), "# fake\n"),
        (format!("{name}/only_here.py"), "# fake\n"),
        (format!("{name}/unrecorded.py"), "# nobody's\n"),
        (format!("{info}/INSTALLER"), "pip\n"),
        (format!("{info}/METADATA"), &metadata),
        (format!("{info}/RECORD"), &record),
        (format!("../../../bin/{name}"), "#!/bin/sh\n# fake\n"),
    ] {
        let path = site_packages.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}
