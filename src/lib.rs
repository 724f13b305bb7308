//! Python virtual environments: what `python -m venv` makes, in milliseconds, or nothing at all.

mod activation;
