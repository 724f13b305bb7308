# `just` lists the recipes.
default:
    @just --list

# The quick tests: at most two minutes after the build.
test:
    cargo test --locked

# Every test, with every Python and shell that is installed.
test-full:
    RVENV_TEST_TIER=full cargo test --locked

# Formatting and lints, as CI checks them.
lint:
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings

# Fuzzes one target, or all of them, for a minute each.
fuzz *TARGETS:
    .ci/fuzz 60 {{ TARGETS }}

# Compares rvenv with venv, virtualenv and uv; takes long.
bench:
    benches/peers.sh
