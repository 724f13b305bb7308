//! The command line: options, variables and output.

mod compat; // options of virtualenv and uv
mod completions; // and the man page
mod hints; // runs the commands in hints
mod json;
mod options;
mod terminal; // output at a terminal
mod variables; // RVENV_*

use crate::harness::Trials;

pub(crate) fn trials(list: &mut Trials) {
    compat::trials(list);
    completions::trials(list);
    hints::trials(list);
    json::trials(list);
    options::trials(list);
    terminal::trials(list);
    variables::trials(list);
}
