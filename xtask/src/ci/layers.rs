//! Modules of a crate depend on each other in one direction.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, ItemUse, Meta, UseTree};

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::print::print;
use crate::rust_files::rust_files;

/// The top-level modules of a crate, from the lowest to the highest. A module uses those before it.
struct Layers {
    folder: &'static str,
    modules: &'static [&'static str],
    /// Modules that use a later one. Each is a fault that is still to be mended.
    exceptions: &'static [(&'static str, &'static str)],
    /// Modules that may use all others: they are for tests.
    for_tests: &'static [&'static str],
}

const LAYERS: [Layers; 4] = [CORE, NEAR_CACHE, SIGN_OUT, DEV_PROVIDER];

const CORE: Layers = Layers {
    folder: "core/src",
    modules: &[
        "util",
        "types",
        "store",
        "telemetry",
        "crypto",
        "protocol",
        "near_cache",
        "refresh",
        "cache",
    ],
    exceptions: &[
        // The methods of `Session` that refresh stand in `refresh`.
        ("refresh", "cache"),
    ],
    for_tests: &["test_util"],
};

const NEAR_CACHE: Layers = Layers {
    folder: "near-cache/src",
    modules: &[
        "telemetry",
        "config",
        "url",
        "counters",
        "lease",
        "ack_wait",
        "acknowledgements",
        "partition",
        "storage",
        "leased_cache",
        "server_listener",
        "seen_registry",
        "connection_task",
        "publisher",
        "coordinator",
        "server",
    ],
    exceptions: &[],
    for_tests: &[],
};

const SIGN_OUT: Layers = Layers {
    folder: "sign-out/src",
    modules: &[
        "config",
        "timeouts",
        "paths",
        "http",
        "jwt",
        "client",
        "keys",
        "tickets",
        "csrf",
        "routes",
        "session_check",
        "axum",
        "actix",
    ],
    exceptions: &[],
    for_tests: &[],
};

const DEV_PROVIDER: Layers = Layers {
    folder: "dev-provider/src",
    modules: &[
        "http",
        "error",
        "crypto",
        "bounded",
        "events",
        "faults",
        "server",
        "clients",
        "sessions",
        "grants",
        "pages",
        "request",
        "state",
        "token",
        "logout",
        "authorize",
        "end_session",
        "routes",
    ],
    exceptions: &[],
    for_tests: &[],
};

/// Checks that no module uses a later one, and that every exception is still one.
pub(super) fn check() -> Outcome {
    print("\n» modules point down");
    let mut findings = Vec::new();
    for layers in &LAYERS {
        let folder = command::root().join(layers.folder);
        let found = uses(&folder)?;
        let place = |module: &str| layers.modules.iter().position(|known| *known == module);
        let mut upward = BTreeSet::new();
        for ((module, used), file) in &found {
            if layers.for_tests.contains(&module.as_str()) {
                continue;
            }
            match (place(module), place(used)) {
                (Some(lower), Some(higher)) if lower < higher => {
                    upward.insert((module.as_str(), used.as_str()));
                    if !layers.exceptions.contains(&(module, used)) {
                        findings.push(format!("{file}: {module} uses {used}, a later module"));
                    }
                }
                (Some(_), Some(_)) => {}
                (None, _) => findings.push(format!("{file}: {module} has no place in the order")),
                (_, None) => findings.push(format!("{file}: {used} has no place in the order")),
            }
        }
        for exception in layers.exceptions {
            if !upward.contains(exception) {
                let (module, later) = exception;
                findings.push(format!(
                    "{module} does not use {later} any more: remove the exception from {}",
                    file!()
                ));
            }
        }
    }
    Failure::of_findings("modules that point the wrong way", &findings)
}

/// Returns which module uses which, each with a file that does.
fn uses(folder: &Path) -> Outcome<BTreeMap<(String, String), String>> {
    let root = folder.join("lib.rs");
    let homes = homes(&parse(&root)?);
    let mut found = BTreeMap::new();
    for file in rust_files(folder)? {
        let inside = file.strip_prefix(folder).unwrap_or(&file);
        let Some(module) = inside.iter().next().and_then(|name| name.to_str()) else {
            continue;
        };
        let module = module.trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let mut names = Names::default();
        names.visit_file(&parse(&file)?);
        for name in names.0 {
            let used = homes.get(&name).unwrap_or(&name);
            if used != module {
                found.insert(
                    (module.to_owned(), used.clone()),
                    inside.display().to_string(),
                );
            }
        }
    }
    Ok(found)
}

fn parse(file: &Path) -> Outcome<syn::File> {
    let source = fs::read_to_string(file).map_err(Failure::during(file.display()))?;
    syn::parse_file(&source).map_err(Failure::during(file.display()))
}

/// Returns the module of each name that the crate's root exports.
fn homes(root: &syn::File) -> BTreeMap<String, String> {
    let mut homes = BTreeMap::new();
    for item in &root.items {
        let syn::Item::Use(item) = item else { continue };
        let UseTree::Path(path) = &item.tree else {
            continue;
        };
        if path.ident == "self" {
            add_homes(&path.tree, None, &mut homes);
        } else {
            // A type of a dependency is as low as a helper.
            add_homes(&path.tree, Some("util"), &mut homes);
        }
    }
    homes
}

fn add_homes(tree: &UseTree, module: Option<&str>, homes: &mut BTreeMap<String, String>) {
    match tree {
        UseTree::Path(path) => {
            let first = path.ident.to_string();
            add_homes(&path.tree, Some(module.unwrap_or(&first)), homes);
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                add_homes(tree, module, homes);
            }
        }
        UseTree::Name(name) => {
            if let Some(module) = module {
                homes.insert(name.ident.to_string(), module.to_owned());
            }
        }
        UseTree::Rename(_) | UseTree::Glob(_) => {}
    }
}

/// The first names after `crate::`, in imports and in paths. Modules for tests are left out.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn add(&mut self, tree: &UseTree) {
        let name = match tree {
            UseTree::Path(path) => &path.ident,
            UseTree::Name(name) => &name.ident,
            UseTree::Rename(name) => &name.ident,
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.add(tree)),
            UseTree::Glob(_) => return,
        };
        self.0.insert(name.to_string());
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if let UseTree::Path(path) = &item.tree
            && path.ident == "crate"
        {
            self.add(&path.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments = path.segments.iter().map(|segment| &segment.ident);
        if segments.next().is_some_and(|first| first == "crate")
            && let Some(name) = segments.next()
        {
            self.0.insert(name.to_string());
        }
        visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !item.attrs.iter().any(is_for_tests) {
            visit::visit_item_mod(self, item);
        }
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    matches!(&attribute.meta, Meta::List(list)
        if list.path.is_ident("cfg") && list.tokens.to_string() == "test")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_uses_only_earlier_ones() {
        check().unwrap();
    }

    #[test]
    fn imports_and_paths_are_uses_and_those_of_tests_are_not() {
        let source = "
            use crate::{A, b::{C, D}};
            use std::fmt;
            fn f() { crate::e::g(); }
            #[cfg(test)]
            mod tests { use crate::H; }
        ";
        let mut names = Names::default();
        names.visit_file(&syn::parse_file(source).unwrap());
        let found: Vec<&str> = names.0.iter().map(String::as_str).collect();
        assert_eq!(found, ["A", "b", "e"]);
    }

    #[test]
    fn a_name_of_the_root_belongs_to_the_module_that_it_comes_from() {
        let root = "pub use self::{a::b::C, d::{E, f::G}}; pub use secrecy::S;";
        let homes = homes(&syn::parse_file(root).unwrap());
        let home = |name: &str| homes.get(name).map(String::as_str);
        assert_eq!(
            [home("C"), home("E"), home("G"), home("S")],
            [Some("a"), Some("d"), Some("d"), Some("util")]
        );
    }
}
