//! SIGKILL at evenly spread moments and before each kind of system call that changes something: afterwards there is either
//! the previous state or a complete environment at `ENV_DIR`, and the next run cleans up.

use crate::faults::scene::Scene;

crate::harness::trials! {
    a_clone(part) needs [STRACE],
    a_clone_in_the_place_of_an_environment(part) needs [STRACE],
    a_new_environment(part) needs [STRACE],
    a_new_environment_with_pip(part) needs [STRACE],
    a_cleared_environment(part) needs [STRACE],
    an_existing_environment(part) needs [STRACE],
    an_existing_environment_that_is_upgraded(part) needs [STRACE],
    a_moved_environment_that_is_upgraded(part) needs [STRACE],
    an_existing_environment_that_is_made_relocatable(part) needs [STRACE],
    moments(full),
}

fn before_calls(name: &'static str, args: &[&'static str]) {
    Scene::new(name, args).kill_before_calls();
}

fn a_new_environment() {
    before_calls("new", &["--without-pip", "env"]);
}

fn a_new_environment_with_pip() {
    before_calls("new with pip", &["env"]);
}

fn a_cleared_environment() {
    before_calls("cleared", &["--without-pip", "--clear", "env"]);
}

fn a_clone() {
    before_calls("new clone", &["--clone", "src", "env"]);
}

fn a_clone_in_the_place_of_an_environment() {
    before_calls("cleared for a clone", &["--clear", "--clone", "src", "env"]);
}

fn an_existing_environment() {
    before_calls("existing", &["--without-pip", "--prompt=new", "env"]);
}

fn an_existing_environment_that_is_upgraded() {
    before_calls(
        "existing, upgraded",
        &["--without-pip", "--upgrade", "--prompt=new", "env"],
    );
}

fn a_moved_environment_that_is_upgraded() {
    before_calls(
        "existing, with packages, was moved",
        &["--without-pip", "--upgrade", "--prompt=old", "env"],
    );
}

fn an_existing_environment_that_is_made_relocatable() {
    let args = [
        "--without-pip",
        "--upgrade",
        "--relocatable",
        "--prompt=old",
        "env",
    ];
    before_calls("existing, with packages", &args);
}

fn moments() {
    for (name, args) in [
        ("new with pip", &["env"][..]),
        ("cleared, with pip", &["--clear", "env"]),
        ("new", &["--without-pip", "env"]),
        ("new clone", &["--clone", "src", "env"]),
        ("cleared for a clone", &["--clear", "--clone", "src", "env"]),
        ("cleared", &["--without-pip", "--clear", "env"]),
        ("cleared in place", &["--without-pip", "--clear", "."]),
        ("existing, with pip", &["--prompt=new", "env"]),
        (
            "existing, upgraded",
            &["--without-pip", "--upgrade", "--prompt=new", "env"],
        ),
        (
            "existing, with packages, was moved",
            &["--without-pip", "--upgrade", "--prompt=old", "env"],
        ),
    ] {
        Scene::new(name, args).kill_at_moments();
    }
}
