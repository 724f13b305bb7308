//! Files that are read-only or in use, links that cannot be created, long paths, programs that are not Python.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::place::{Place, each, newest, succeeds};

crate::harness::trials! {
    what_is_read_only_is_cleared,
    a_running_python_does_not_break_the_environment,
    where_links_cannot_be_made_copies_are(each),
    a_path_may_be_longer_than_windows_once_allowed,
    what_is_no_python_is_refused,
}

fn what_is_read_only_is_cleared() {
    let place = Place::new();
    let python = newest();
    succeeds(place.rvenv(python).args(["--without-pip", "env"]));
    let folder = place.work.join("env").join("read only");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("file");
    fs::write(&file, "old").unwrap();
    let mut permissions = fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&file, permissions).unwrap();
    let output = succeeds(
        place
            .rvenv(python)
            .args(["--without-pip", "--clear", "env"]),
    );
    assert!(output.stderr.is_empty(), "{output:?}");
    assert!(!folder.exists());
    assert_eq!(place.names(), ["env"]);
}

/// Windows, unlike Wine, refuses to move a running program. In both cases the environment works afterwards.
fn a_running_python_does_not_break_the_environment() {
    let place = Place::new();
    let python = newest();
    succeeds(place.rvenv(python).args(["--without-pip", "env"]));
    let mine = place.work.join("env").join("Lib").join("mine.py");
    fs::write(&mine, "").unwrap();
    let own = place.work.join("env").join("Scripts").join("python.exe");
    let script = "print('up', flush=True); input()";
    let mut command = place.command(&own);
    let mut running = command
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut up = [0; 2];
    std::io::Read::read_exact(running.stdout.as_mut().unwrap(), &mut up).unwrap();
    for option in ["--clear", "--upgrade"] {
        let output = place
            .rvenv(python)
            .args(["--without-pip", option, "env"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            assert!(text.contains("end the programs"), "{option}: {text}");
            assert!(mine.exists(), "{option}: {text}");
        }
        succeeds(place.command(&own).args(["-c", "import sys"]));
    }
    drop(running.stdin.take());
    running.wait().unwrap();
    // Files that could not be deleted while they were in use are deleted by the next run.
    succeeds(
        place
            .rvenv(python)
            .args(["--without-pip", "--clear", "env"]),
    );
    assert_eq!(place.names(), ["env"]);
}

/// Links cannot be tested where the system does not create them, but the fallback to copies can.
fn where_links_cannot_be_made_copies_are(python: &'static Path) {
    let place = Place::new();
    let arguments = ["--without-pip", "--symlinks", "--clear", "env"];
    let output = succeeds(place.rvenv(python).args(arguments));
    let own = place.work.join("env").join("Scripts").join("python.exe");
    let is_link = fs::symlink_metadata(&own).unwrap().is_symlink();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(text.contains("Unable to symlink"), !is_link, "{text}");
    let script = "import sys; sys.exit(sys.prefix == sys.base_prefix)";
    succeeds(place.command(&own).args(["-c", script]));
}

fn a_path_may_be_longer_than_windows_once_allowed() {
    let place = Place::new();
    let python = newest();
    let long: PathBuf = (0..6).map(|_| "a".repeat(50)).collect();
    let output = place
        .rvenv(python)
        .arg("--without-pip")
        .arg(&long)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(place.work.join(&long).join("pyvenv.cfg").exists());
}

fn what_is_no_python_is_refused() {
    let place = Place::new();
    let file = place.work.join("python.exe");
    fs::write(&file, "no program").unwrap();
    let output = place.rvenv(&file).arg("env").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("python.exe"),
        "{output:?}"
    );
    assert!(!place.work.join("env").exists());
}
