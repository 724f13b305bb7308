//! placeholder
pub(crate) struct Values<'a> {
    pub virtual_env: &'a str,
    pub prompt: &'a str,
    pub bin_name: &'a str,
    pub relocatable: bool,
}
pub(crate) struct Script {
    pub name: &'static str,
    pub contents: Vec<u8>,
}
pub(crate) fn scripts(_values: &Values<'_>, _windows: bool) -> Vec<Script> {
    Vec::new()
}
