//! Tests of shebangs with the shell and every Python.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use fs_err as fs;

use crate::installed::scripts::shebang::{launcher, parse_launcher, render, shebang, with_option};
use crate::pip::test_wheels::pythons;

#[test]
fn a_launcher_can_be_parsed() {
    for (name, option) in [("python", ""), ("python3.13", "-E"), ("pypy3", "-Wignore")] {
        let mut lines = launcher(&format!("/some where/{name}"));
        if !option.is_empty() {
            lines = with_option(&lines, option).unwrap();
        }
        let script = format!("{lines}print('\n')\n");
        let expected = Some((name, option, lines.len()));
        assert_eq!(parse_launcher(script.as_bytes()), expected);
        assert_eq!(parse_launcher(&script.as_bytes()[1..]), None);
        assert_eq!(parse_launcher(&lines.as_bytes()[..lines.len() - 1]), None);
    }
}

#[test]
fn a_short_path_without_spaces_is_a_plain_shebang() {
    assert_eq!(shebang("/env/bin/python", 127), "#!/env/bin/python\n");
    assert_eq!(shebang("/é$'/bin/python", 127), "#!/é$'/bin/python\n");
    let longest = format!("/{}", "x".repeat(123));
    assert_eq!(shebang(&longest, 127), format!("#!{longest}\n"));
    assert_eq!(
        shebang(&format!("/{}", "x".repeat(508)), 512)
            .lines()
            .count(),
        1
    );
}

#[test]
fn a_path_that_is_long_or_has_spaces_is_started_by_sh() {
    let spaced = "#!/bin/sh\n'''exec' \"/an env/bin/python\" \"$0\" \"$@\"\n' '''\n";
    assert_eq!(shebang("/an env/bin/python", 127), spaced);
    let long = format!("/{}", "x".repeat(124));
    let expected = format!("#!/bin/sh\n'''exec' {long} \"$0\" \"$@\"\n' '''\n");
    assert_eq!(shebang(&long, 127), expected);
    // é is two bytes.
    assert_eq!(
        shebang(&format!("/{}é", "x".repeat(122)), 127)
            .lines()
            .count(),
        3
    );
}

#[test]
fn a_path_that_the_shell_would_expand_is_not_written() {
    let long = "x".repeat(130);
    for executable in [
        "/a\nimport_os/python",
        "/a\rimport_os/python",
        "/a\tb/python",
        "/coding=utf-7/python",
        "/a b$(id)/python",
        "/a b`id`/python",
        "/a b\"c/python",
        "/a b\\x/python",
        "/a b'''c/python",
        &format!("/{long}$x/python"),
        &format!("/{long};id/python"),
        &format!("/{long}*/python"),
        &format!("/{long}'/python"),
        &format!("/{long}\tx/python"),
    ] {
        assert_eq!(
            shebang(executable, 127),
            launcher("/x/python"),
            "{executable:?}"
        );
    }
}

#[test]
fn only_plain_shebangs_of_old_pips_have_a_blank_line() {
    assert_eq!(render("/python", "\nbody", 127), "#!/python\n\nbody");
    assert!(render("/a b/python", "\nbody", 127).ends_with("\n' '''\nbody"));
    assert!(render("/a b/python", "body", 127).ends_with("\n' '''\nbody"));
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

fn run(command: &mut Command) -> String {
    // Only a shell and readlink: no realpath, no dirname.
    let output = command.env_clear().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_launcher_finds_python_beside_the_script() {
    let folder = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(folder.path()).unwrap();
    let tools = root.join("tools");
    fs::create_dir(&tools).unwrap();
    for tool in ["sh", "readlink"] {
        let found = which::which_in(tool, Some("/bin:/usr/bin"), "/").unwrap();
        symlink(found, tools.join(tool)).unwrap();
    }
    for name in [
        "env",
        "an env",
        "-n",
        "$(exit 9)`exit 9`",
        "a'b\"c\\",
        "line\nend\n",
    ] {
        let bin = root.join(name);
        fs::create_dir(&bin).unwrap();
        write(
            &bin.join("python3.13"),
            "#!/bin/sh\nprintf '%s|' \"$0\" \"$@\"\n",
        );
        let script = bin.join("pip");
        write(
            &script,
            &format!(
                "{}raise SystemExit\n",
                launcher(&format!("{name}/python3.13"))
            ),
        );
        let (python, said) = (bin.join("python3.13"), script.display());
        let expected = format!("{}|{said}|a b|$c|", python.display());
        assert_eq!(
            run(Command::new(&script)
                .args(["a b", "$c"])
                .env("PATH", &tools)),
            expected
        );

        // Through a relative link to an absolute one, and as a name below the current directory.
        let links = root.join(format!("links to {name}"));
        fs::create_dir(&links).unwrap();
        symlink(&script, links.join("one\n")).unwrap();
        symlink("one\n", links.join("two")).unwrap();
        let two = links.join("two");
        let expected = format!("{}|{}|", python.display(), two.display());
        assert_eq!(run(Command::new(&two).env("PATH", &tools)), expected);
        let mut below = Command::new("/bin/sh");
        below
            .args(["-c", "exec sh pip"])
            .current_dir(&bin)
            .env("PATH", &tools);
        assert_eq!(run(&mut below), "./python3.13|pip|");
    }
}

#[test]
fn python_ignores_every_form_of_the_first_lines() {
    let folder = tempfile::tempdir().unwrap();
    for python in pythons() {
        let bin = folder.path().join("$(exit 9) 'bin'");
        fs::create_dir(&bin).unwrap();
        symlink(&python, bin.join("python")).unwrap();
        let said = bin.join("python");
        for first in [
            launcher("python"),
            shebang(python.to_str().unwrap(), 10),
            shebang(said.to_str().unwrap(), 127),
        ] {
            let script = bin.join("script");
            write(
                &script,
                &format!("{first}import sys\nprint(__doc__ and 1, sys.argv[1:])\n"),
            );
            let output = Command::new(&script)
                .arg("a b")
                .env("PYTHONWARNINGS", "error")
                .output()
                .unwrap();
            assert!(output.stderr.is_empty(), "{output:?}");
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                "1 ['a b']\n",
                "{first}"
            );
        }
        fs::remove_dir_all(&bin).unwrap();
    }
}

#[test]
fn the_launcher_contains_only_names_that_need_no_quotes() {
    assert!(launcher("/env/bin/python3.13t").contains("/python3.13t\" \"$0\""));
    for name in ["a$b", "a\"b", "a`b", "a\\b", "a b", ""] {
        assert!(launcher(&format!("/env/bin/{name}")).contains("/python\" \"$0\""));
    }
}
