//! `--upgrade` of a moved environment: the files of packages contain the new path, whichever tool created the environment.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fs_err as fs;
use memchr::memmem;
use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use crate::env::TestEnv;
use crate::harness::some;
use crate::interpreters::{Interpreter, a_few};
use crate::wheel::write_wheel;

crate::harness::trials! {
    nothing_in_a_moved_environment_contains_the_old_path_but_what_is_listed(a_few, part),
}

/// The files below a folder that contain a text.
fn containing(root: &Path, text: &str) -> Vec<String> {
    let entries = WalkDir::new(root).sort_by_file_name().into_iter();
    let files = entries.map(Result::unwrap).filter(|entry| {
        let contents = || fs::read(entry.path()).unwrap();
        entry.file_type().is_file() && memmem::find(&contents(), text.as_bytes()).is_some()
    });
    files
        .map(|entry| {
            let name = entry.path().strip_prefix(root).unwrap();
            name.to_str().unwrap().to_owned()
        })
        .collect()
}

/// Adds a file to an installed package, with its row of RECORD.
fn add(site_packages: &Path, path: &str, contents: &str) {
    let file = site_packages.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, contents).unwrap();
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(contents));
    let record = site_packages.join("one-1.0.dist-info/RECORD");
    let rows = fs::read_to_string(&record).unwrap();
    let row = format!("{path},sha256={digest},{}\r\n", contents.len());
    fs::write(&record, rows + &row).unwrap();
}

fn nothing_in_a_moved_environment_contains_the_old_path_but_what_is_listed(
    python: &'static Interpreter,
) {
    for &maker in some(&["rvenv", "venv"], 1) {
        let env = TestEnv::new();
        let (old, new) = (env.at("öld"), env.at("new/there"));
        if maker == "rvenv" {
            env.rvenv_for(python, ["öld"]).shared_cache().succeeds();
        } else {
            env.run(&python.executable, ["-m", "venv", "öld"])
                .outcome()
                .expect_code(0);
        }
        let wheel = write_wheel(&env, &env.root().join("wheels"), "one", "1.0");
        let install = ["-m", "pip", "install", "-q", "--no-index"];
        let install = [&install[..], &[wheel.to_str().unwrap()]].concat();
        env.run(old.join("bin/python"), install)
            .outcome()
            .expect_code(0);
        let lib = format!("lib/{}/site-packages", python.python_folder());
        let (said, packages) = (old.to_str().unwrap(), old.join(&lib));
        let escaped = said.replace('ö', "\\u00f6");
        let kernel = format!("{{\"argv\": [\"{escaped}/bin/python\"], \"x\": \"{escaped}2\"}}");
        add(
            &packages,
            "../../../share/jupyter/kernels/one/kernel.json",
            &kernel,
        );
        add(
            &packages,
            "one/own.pth",
            &format!("{said}/lib\n{said}-lib\n"),
        );
        let url = format!("{{\"url\": \"file://{}\"}}", said.replace('ö', "%C3%B6"));
        add(&packages, "one-1.0.dist-info/direct_url.json", &url);
        add(&packages, "one/data.txt", &format!("prefix={said}\n"));
        add(&packages, "one/other.txt", &format!("prefix={said}2\n"));
        let before = containing(&old, said);
        // The pips of older Pythons compile in another directory, whose path is in the code until it is imported.
        let compiled = before.iter().any(|name| name.ends_with(".pyc"));
        assert!(compiled || !python.at_least(9), "{before:?}");

        fs::create_dir(env.at("new")).unwrap();
        fs::rename(&old, &new).unwrap();
        let upgraded = env.rvenv(["--upgrade", "new/there"]).shared_cache();
        let outcome = upgraded.outcome();
        outcome.expect_code(0);
        let warning = format!("still contain {said}: {lib}/one/data.txt\n");
        assert!(outcome.stderr.ends_with(&warning), "{outcome}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
        let others = ["one/data.txt", "one/other.txt", "one/own.pth"];
        let others = others.map(|name| format!("{lib}/{name}"));
        assert_eq!(containing(&new, said), others);
        let text = |name: &str| fs::read_to_string(new.join(&lib).join(name)).unwrap();
        let place = new.display();
        assert_eq!(text("one/own.pth"), format!("{place}/lib\n{said}-lib\n"));
        assert_eq!(
            text("one-1.0.dist-info/direct_url.json"),
            format!("{{\"url\": \"file://{place}\"}}")
        );
        assert_eq!(
            text("../../../share/jupyter/kernels/one/kernel.json"),
            format!("{{\"argv\": [\"{place}/bin/python\"], \"x\": \"{escaped}2\"}}")
        );
        // Every RECORD is correct, every script runs, and code objects have the new path.
        env.rvenv(["--check", "new/there"])
            .shared_cache()
            .outcome()
            .expect_code(0);
        env.run(new.join("bin/one"), [""; 0])
            .prints(&format!("1.0 {place}\n"));
        let code = "import one; print(one.main.__code__.co_filename)";
        let outcome = env
            .run(new.join("bin/python"), ["-B", "-v", "-c", code])
            .outcome();
        assert_eq!(outcome.stdout, format!("{place}/{lib}/one/__init__.py\n"));
        let matched = format!("code object from '{place}/{lib}/one/__pycache__/");
        assert!(outcome.stderr.contains(&matched), "{outcome}");
        env.rvenv(["--upgrade", "new/there"])
            .shared_cache()
            .succeeds();
    }
}
