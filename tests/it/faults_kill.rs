//! SIGKILL at evenly spread moments and before system calls of each kind that changes something: at `ENV_DIR` is what was there
//! before or a complete environment, and the next run leaves no trace of the killed one.

use crate::{faults::needs, scene::Scene};

crate::harness::trials! {
    a_new_environment,
    a_new_environment_with_pip,
    a_cleared_environment,
    an_existing_environment,
    an_existing_environment_that_is_upgraded,
    moments(full),
}

fn before_calls(name: &'static str, args: &[&'static str]) {
    needs("strace");
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

fn an_existing_environment() {
    before_calls("existing", &["--without-pip", "--prompt=new", "env"]);
}

fn an_existing_environment_that_is_upgraded() {
    before_calls(
        "existing, upgraded",
        &["--without-pip", "--upgrade", "--prompt=new", "env"],
    );
}

fn moments() {
    for (name, args) in [
        ("new with pip", &["env"][..]),
        ("cleared, with pip", &["--clear", "env"]),
        ("new", &["--without-pip", "env"]),
        ("cleared", &["--without-pip", "--clear", "env"]),
        ("cleared in place", &["--without-pip", "--clear", "."]),
        ("existing, with pip", &["--prompt=new", "env"]),
        (
            "existing, upgraded",
            &["--without-pip", "--upgrade", "--prompt=new", "env"],
        ),
    ] {
        Scene::new(name, args).kill_at_moments();
    }
}
