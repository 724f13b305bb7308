//! Environments: created, moved, upgraded and deleted.

mod activate_this;
mod bytecode_elsewhere; // PYTHONPYCACHEPREFIX
mod clear;
mod clone;
mod configuration; // pyvenv.cfg
mod directories;
mod installations; // installations are never turned into environments
pub(crate) mod makers; // venv, virtualenv, uv and rvenv, and their environments
mod moved;
mod nested; // recreated with its own Python
mod no_compile;
mod prompt;
mod read_back; // files that Python reads
mod regression;
mod relocatable;
mod relocation;
mod upgrade;

use crate::harness::Trials;

pub(crate) fn trials(list: &mut Trials) {
    activate_this::trials(list);
    bytecode_elsewhere::trials(list);
    clear::trials(list);
    clone::trials(list);
    configuration::trials(list);
    directories::trials(list);
    installations::trials(list);
    moved::trials(list);
    nested::trials(list);
    no_compile::trials(list);
    prompt::trials(list);
    read_back::trials(list);
    regression::trials(list);
    relocatable::trials(list);
    relocation::trials(list);
    upgrade::trials(list);
}
