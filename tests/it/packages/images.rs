//! Images of installed packages: killed runs, full disks, why packages are not kept, large files, and shared blocks.

use std::{path::Path, process::Command, thread, time::Duration};

use fs_err as fs;
use rustix::process::Signal;

use super::reuse::{ARGS, FILLED, KEPT, SOURCE, Scene, WHEELS, says};
use crate::env::{Run, TestEnv, copy_tree, filled_cache, listing, store};
use crate::faults::{Mount, filesystems};
use crate::interpreters::newest;
use crate::needs::ROOT_PATH;
use crate::tree::{leftovers, tree};
use crate::wheel::write_wheel;

crate::harness::trials! {
    a_run_that_is_killed_while_it_keeps_packages_leaves_no_half_image(full),
    a_disk_that_is_full_keeps_nothing_and_is_no_failure needs [MOUNT],
    what_no_package_lists_is_named_and_nothing_is_kept,
    a_record_that_names_a_file_elsewhere_is_named_and_nothing_is_kept(full),
    what_has_no_version_and_hash_is_named(full),
    large_files_share_the_blocks_of_the_image(full) needs [BTRFS, MOUNT],
    a_file_of_more_than_four_gigabytes_is_kept_and_unpacked(full) needs [BTRFS, MOUNT],
}

/// The unfinished files in the cache.
fn drafts(cache: &Path) -> Vec<String> {
    let mut names = listing(&store(cache));
    names.retain(|name| name.starts_with(".new-"));
    names
}

fn a_run_that_is_killed_while_it_keeps_packages_leaves_no_half_image() {
    let scene = Scene::new(newest());
    says(scene.rvenv(&["-v", "complete", "-r", "r.txt"]), &[KEPT]);
    let complete = tree(&scene.env.at("complete"));
    let is_kept = |scene: &Scene| {
        let images = scene.images();
        let images = images
            .iter()
            .filter(|path| path.extension().is_some_and(|it| it == "zip"));
        images.count() == 2
    };
    for delay in [5, 0, 20, 1, 10, 2, 40, 80] {
        let cache = scene.cache();
        fs::remove_dir_all(&cache).unwrap();
        filled_cache(&scene.env, newest());
        scene.again();
        let mut run = scene.rvenv(&ARGS).start();
        run.until(|| !drafts(&cache).is_empty() || is_kept(&scene));
        thread::sleep(Duration::from_millis(delay));
        run.signal(Signal::KILL);
        run.finish();
        // pip had completed.
        let left = tree(&scene.env.at("env"));
        let missing: Vec<_> = complete
            .keys()
            .filter(|it| !left.contains_key(*it))
            .collect();
        assert!(complete.keys().eq(left.keys()), "{missing:?}");
        scene.env.run(scene.env.at("env/bin/one"), [""; 0]).stdout();
        let was_kept = is_kept(&scene);
        scene.again();
        says(scene.rvenv(&ARGS), &[if was_kept { FILLED } else { KEPT }]);
        assert!(complete.keys().eq(tree(&scene.env.at("env")).keys()));
        assert_eq!(leftovers(&scene.env.work()), [""; 0]);
    }
}

fn a_disk_that_is_full_keeps_nothing_and_is_no_failure() {
    let scene = Scene::new(newest());
    let sizes = scene.images();
    let sizes = sizes.iter().map(|path| fs::metadata(path).unwrap().len());
    // Enough space for the image of pip, but not for another one.
    let size = (sizes.sum::<u64>() >> 10) + 3000;
    let mount = Mount::tmpfs(&scene.env, "small", &format!("size={size}k,mode=700"));
    let small = scene.env.at("small");
    let from = store(&scene.cache());
    copy_tree(&from, &store(&small));
    let run = |args: &[&str]| {
        let run = scene.rvenv(args).var("RVENV_CACHE_SIZE", "1GB");
        run.var("RVENV_CACHE_DIR", &small)
    };
    run(&["env", "-r", "r.txt"]).succeeds();
    assert_eq!(drafts(&small), [""; 0]);
    scene.again();
    says(
        run(&ARGS),
        &[
            "the packages are not kept",
            "write an image of",
            "No space left",
        ],
    );
    assert_eq!(drafts(&small), [""; 0]);
    scene.env.run(scene.env.at("env/bin/one"), [""; 0]).stdout();
    scene.again();
    mount.remount("size=100M");
    says(run(&ARGS), &[KEPT]);
    scene.again();
    says(run(&ARGS), &[FILLED]);
}

/// Runs with another program that makes the wheels.
fn with_wheels(scene: &Scene, from: &str, to: &str) {
    assert!(WHEELS.contains(from));
    let wheels = scene.wheels();
    let program = WHEELS.replace(from, to);
    let args = ["-c", &program, wheels.to_str().unwrap()];
    scene.env.run(&newest().executable, args).succeeds();
    fs::copy(wheels.join("r.txt"), scene.env.at("r.txt")).unwrap();
}

#[track_caller]
fn refuses(scene: &Scene, args: &[&str], texts: &[&str]) {
    says(scene.rvenv(&[&["-v", "env"], args].concat()), texts);
    scene.again();
    assert_eq!(scene.images().len(), 1, "something was kept");
}

fn what_no_package_lists_is_named_and_nothing_is_kept() {
    let scene = Scene::new(newest());
    // The build writes a file into the environment.
    let unlisted = scene.env.at("env/unlisted.txt");
    let place = unlisted.display();
    let build = format!("    open('{place}', 'w').close()\n    name, info = ");
    let program = SOURCE.replace("    name, info = ", &build);
    assert_ne!(program, SOURCE);
    scene.has_source(&program);
    let args = ["--reuse=always", "-r", "r.txt"];
    let text = format!("{}: no package lists it", unlisted.display());
    refuses(&scene, &args, &[&text]);
}

fn a_record_that_names_a_file_elsewhere_is_named_and_nothing_is_kept() {
    let scene = Scene::new(newest());
    with_wheels(
        &scene,
        r#"rows + info + "/RECORD,,\n""#,
        r#"rows + "../../../../../outside.txt,,\n" + info + "/RECORD,,\n""#,
    );
    refuses(&scene, &["-r", "r.txt"], &["RECORD", "outside.txt"]);
}

fn what_has_no_version_and_hash_is_named() {
    let scene = Scene::new(newest());
    let pinned = fs::read_to_string(scene.env.at("r.txt")).unwrap();
    let wheels = scene.wheels();
    let local = write_wheel(&scene.env, &wheels, "local", "1.0");
    let local = local.to_str().unwrap();
    fs::create_dir(scene.env.at("project")).unwrap();
    fs::write(
        scene.env.at("project/setup.py"),
        "import setuptools\nsetuptools.setup(name='project', version='1', py_modules=[])\n",
    )
    .unwrap();
    let file = |name: &str, text: String| {
        fs::write(scene.env.at(name), text).unwrap();
    };
    file("unpinned.txt", "one\n".into());
    file("local.txt", format!("{pinned}{local}\n"));
    file("unknown.txt", format!("{pinned}--no-such-option\n"));
    refuses(
        &scene,
        &["-r", "unpinned.txt"],
        &["one has no version and hash"],
    );
    refuses(&scene, &["--with=one==1.0"], &["one==1.0"]);
    for always in [false, true] {
        let reuse = if always {
            "--reuse=always"
        } else {
            "--reuse=hashed"
        };
        refuses(&scene, &[reuse, "--with", local], &["local"]);
    }
    let system = ["--system-site-packages", "-r", "r.txt"];
    refuses(&scene, &system, &["the system's packages may change"]);
    let upgrade = ["--upgrade-deps", "-r", "r.txt"];
    // There is no newer pip in the index, which is an error.
    let outcome = scene.rvenv(&[&["-v", "env"], &upgrade[..]].concat());
    let outcome = outcome.outcome();
    assert!(
        outcome.stderr.contains("--upgrade-deps asks the index"),
        "{outcome}"
    );
    scene.again();
    // pip does not know the option, either.
    let outcome = scene.rvenv(&["-v", "env", "-r", "unknown.txt"]).outcome();
    outcome.expect_code(1);
    assert!(outcome.stderr.contains("is not understood"), "{outcome}");
    let editable = ["-v", "env", "-e", "project"];
    let outcome = scene.rvenv(&editable).outcome();
    assert!(
        outcome.stderr.contains("--editable reads a project"),
        "{outcome}"
    );
    assert_eq!(scene.images().len(), 1, "something was kept");
}

/// How many bytes of a file on btrfs are in blocks that no other file has.
fn exclusive(file: &Path) -> u64 {
    let mut sync = Command::new("sync");
    assert!(sync.arg("-f").arg(file).status().unwrap().success());
    let mut command = Command::new("btrfs");
    command.args(["filesystem", "du", "--raw"]).arg(file);
    let output = command.env("PATH", ROOT_PATH).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers = text.lines().nth(1).unwrap().split_whitespace();
    numbers.take(2).last().unwrap().parse().unwrap()
}

/// A btrfs of some megabytes, with a cache that holds pip's image.
fn btrfs(scene: &Scene, megabytes: u64, options: &str) -> Mount {
    let env = &scene.env;
    let image = filesystems::image(env, megabytes, "mkfs.btrfs", &["-q"]);
    let args = ["-t", "btrfs", "-o", options, image.to_str().unwrap()];
    let mount = Mount::new(env, "btrfs", &args);
    copy_tree(&scene.cache(), &env.at("btrfs/cache"));
    mount
}

/// A run with the cache and the environment on btrfs.
fn on_btrfs<'a>(scene: &'a Scene, name: &str) -> Run<'a> {
    let path = format!("btrfs/{name}");
    let run = scene.rvenv(&["-v", &path, "-r", "r.txt"]);
    run.var("RVENV_CACHE_DIR", scene.env.at("btrfs/cache"))
}

/// A file of zeros takes almost no space there.
const COMPRESSED: &str = "loop,compress-force=zstd:1";

fn a_file_of_more_than_four_gigabytes_is_kept_and_unpacked() {
    let scene = Scene::new(newest());
    let env = &scene.env;
    let _mount = btrfs(&scene, 20_000, COMPRESSED);
    let size = (1_u64 << 32) + (1 << 20);
    let zeros = format!("(bytes(1 << 20) for _ in range({}))", size >> 20);
    let other = r#""two_vendor/__init__.py": """#;
    with_wheels(
        &scene,
        other,
        &format!("{other},\n    \"two_vendor/huge.bin\": {zeros}"),
    );
    says(
        on_btrfs(&scene, "first").var("RVENV_CACHE_SIZE", "20GB"),
        &[KEPT],
    );
    says(on_btrfs(&scene, "shared"), &[FILLED]);
    // Another file system shares no blocks.
    let other = TestEnv::new();
    let image = filesystems::image(&other, 20_000, "mkfs.btrfs", &["-q"]);
    let options = ["-t", "btrfs", "-o", COMPRESSED, image.to_str().unwrap()];
    let elsewhere = Mount::new(env, "elsewhere", &options);
    let copied = scene.rvenv(&["-v", "elsewhere/copied", "-r", "r.txt"]);
    let copied = copied.var("RVENV_CACHE_DIR", env.at("btrfs/cache"));
    says(copied, &[FILLED]);
    let file = format!(
        "lib/{}/site-packages/two_vendor/huge.bin",
        newest().python_folder()
    );
    let first = env.at("btrfs/first").join(&file);
    assert_eq!(fs::metadata(&first).unwrap().len(), size);
    for other in ["btrfs/shared", "elsewhere/copied"] {
        let other = env.at(other).join(&file);
        env.run("cmp", [&first, &other]).succeeds();
    }
    drop(elsewhere);
}

fn large_files_share_the_blocks_of_the_image() {
    let scene = Scene::new(newest());
    let env = &scene.env;
    let _mount = btrfs(&scene, 1000, "loop");
    let run = |name: &str| on_btrfs(&scene, name);
    says(run("first"), &[KEPT]);
    says(run("second"), &[FILLED]);
    let site_packages = format!("lib/{}/site-packages", newest().python_folder());
    let file = |name: &str, file: &str| env.at("btrfs").join(name).join(&site_packages).join(file);
    let mut compared = 0;
    for name in ["one/large.bin", "one/bin.so", "one/run.sh"] {
        let (first, second) = (file("first", name), file("second", name));
        assert_eq!(fs::read(&first).unwrap(), fs::read(&second).unwrap());
        let own = exclusive(&second);
        let size = fs::metadata(&second).unwrap().len();
        if size >= 64 << 10 {
            // The last bytes do not fill a block, and are copied.
            assert!(own <= 4096, "{name}: {own} of {size} bytes");
            assert!(exclusive(&first) >= size / 2, "{name}");
            compared += 1;
        }
    }
    assert_eq!(compared, 2);
    // A change in one environment does not affect the others.
    fs::write(file("second", "one/large.bin"), "changed").unwrap();
    says(run("third"), &[FILLED]);
    assert_eq!(
        fs::read(file("first", "one/large.bin")).unwrap(),
        fs::read(file("third", "one/large.bin")).unwrap()
    );
}
