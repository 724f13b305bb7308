//! Reads the metadata and the console scripts of an installed distribution.

use std::path::Path;

use fs_err as fs;

use crate::error::Error;
use crate::image::format::{ConsoleScript, Distribution};
use crate::image::pack::unfit;
use crate::installed::scripts::exe;

/// Reads a `.dist-info` directory. Returns it with the paths in its RECORD.
pub(crate) fn distribution(
    site_packages: &Path,
    bin: &Path,
    dist_info: &str,
) -> Result<(Distribution, Vec<String>), Error> {
    let path = site_packages.join(dist_info).join("RECORD");
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let (mut paths, mut scripts, mut record) = (Vec::new(), Vec::new(), String::new());
    for row in reader.records() {
        let row = row.map_err(|error| unfit(&path, &error.to_string()))?;
        let listed = row.get(0).unwrap_or_default();
        if listed.starts_with("../") {
            scripts.push(script(bin, listed.rsplit('/').next().unwrap_or_default())?);
            continue;
        }
        paths.push(listed.to_owned());
        let position = row.position().map_or(0, csv::Position::byte);
        let position = usize::try_from(position).unwrap_or(text.len());
        // The reader treats a line feed after a carriage return as part of the next row.
        let rest = text[position..].trim_start_matches(['\r', '\n']);
        record.push_str(rest.lines().next().unwrap_or_default());
        record.push_str("\r\n");
    }
    let (name, version) = dist_info
        .trim_end_matches(".dist-info")
        .split_once('-')
        .unwrap_or((dist_info, ""));
    let (name, version, dist_info) = (name.to_owned(), version.to_owned(), dist_info.to_owned());
    Ok((
        Distribution {
            name,
            version,
            dist_info,
            record,
            scripts,
        },
        paths,
    ))
}

/// A console script without its shebang, which is one line, or three lines with `/bin/sh`.
fn script(bin: &Path, name: &str) -> Result<ConsoleScript, Error> {
    let path = bin.join(name);
    if let Some(name) = name.strip_suffix(".exe") {
        let program = fs::read(&path).map_err(Error::io("read", &path))?;
        let body = exe::body(&program);
        let body = body.ok_or_else(|| unfit(&path, "it is not a script"))?;
        let name = name.to_owned();
        return Ok(generated(name, body));
    }
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let lines = if text.starts_with("#!/bin/sh\n'''exec' ") {
        3
    } else {
        1
    };
    let body = text
        .splitn(lines + 1, '\n')
        .nth(lines)
        .filter(|_| text.starts_with("#!"));
    match body {
        Some(body) => Ok(generated(name.into(), body.into())),
        None => Err(unfit(&path, "it is not a script")),
    }
}

fn generated(name: String, body: String) -> ConsoleScript {
    ConsoleScript {
        name,
        body,
        is_generated: true,
        is_executable: true,
    }
}
