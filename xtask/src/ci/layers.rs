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
    /// The path of the module that the folder is, in its crate.
    path: &'static [&'static str],
    modules: &'static [&'static str],
    /// Modules that use a later one. Each is a fault that is still to be mended.
    exceptions: &'static [(&'static str, &'static str)],
    /// Modules that may use all others: they are for tests.
    for_tests: &'static [&'static str],
}

const LAYERS: [Layers; 6] = [CORE, NEAR_CACHE, SIGN_OUT, DEV_PROVIDER, DEMO, DEMO_WEB];

const CORE: Layers = Layers {
    folder: "core/src",
    path: &[],
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
    path: &[],
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
    path: &[],
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
    path: &[],
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

const DEMO: Layers = Layers {
    folder: "demo/src",
    path: &[],
    modules: &[
        "failure",
        "store_url",
        "instrumented_store",
        "near_cache",
        "oidc",
        "plain_cache",
        "steps",
        "caches",
        "message",
        "server",
        "story",
        "verdict",
        "fleet",
        "report",
        "browser",
        "scripted_user",
        "play",
        "web",
        "args",
        "telemetry",
        "run",
    ],
    exceptions: &[],
    for_tests: &[],
};

const DEMO_WEB: Layers = Layers {
    folder: "demo/src/web",
    path: &["web"],
    modules: &[
        "cookies",
        "notice",
        "timeline",
        "public_url",
        "options",
        "plain_app",
        "late_answers",
        "shared",
        "provider",
        "server",
        "signed_in",
        "near_cache",
        "events",
        "api",
        "sign_in",
        "page",
        "routes",
        "fleet",
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
        let found = uses(&folder, layers.path)?;
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
fn uses(folder: &Path, path: &[&str]) -> Outcome<BTreeMap<(String, String), String>> {
    let root = folder.join(if path.is_empty() { "lib.rs" } else { "mod.rs" });
    let homes = homes(&parse(&root)?);
    let mut found = BTreeMap::new();
    for file in rust_files(folder)? {
        let inside = file.strip_prefix(folder).unwrap_or(&file);
        let Some(module) = inside.iter().next().and_then(|name| name.to_str()) else {
            continue;
        };
        let module = module.trim_end_matches(".rs");
        if ["lib", "main", "mod"].contains(&module) {
            continue;
        }
        let mut names = Names::new(path);
        let below: Vec<_> = inside.iter().skip(1).collect();
        if below.is_empty() || below == ["mod.rs"] {
            names.prefixes.push(vec!["super"]);
        }
        names.visit_file(&parse(&file)?);
        for name in names.found {
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

/// The first names after a path such as `crate::`, in imports and in paths. Modules for tests are left out.
struct Names<'a> {
    prefixes: Vec<Vec<&'a str>>,
    found: BTreeSet<String>,
}

impl<'a> Names<'a> {
    fn new(path: &[&'a str]) -> Self {
        let mut prefix = vec!["crate"];
        prefix.extend(path);
        Self {
            prefixes: vec![prefix],
            found: BTreeSet::new(),
        }
    }

    /// Adds the names of an import after the rest of a prefix.
    fn after(&mut self, prefix: &[&str], tree: &UseTree) {
        match (prefix, tree) {
            ([], tree) => self.add(tree),
            ([first, rest @ ..], UseTree::Path(path)) if path.ident == first => {
                self.after(rest, &path.tree);
            }
            (prefix, UseTree::Group(group)) => {
                for tree in &group.items {
                    self.after(prefix, tree);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, tree: &UseTree) {
        let name = match tree {
            UseTree::Path(path) => &path.ident,
            UseTree::Name(name) => &name.ident,
            UseTree::Rename(name) => &name.ident,
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.add(tree)),
            UseTree::Glob(_) => return,
        };
        self.found.insert(name.to_string());
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for prefix in self.prefixes.clone() {
            self.after(&prefix, &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<_> = path
            .segments
            .iter()
            .map(|one| one.ident.to_string())
            .collect();
        for prefix in &self.prefixes {
            if let Some((start, [name, ..])) = segments.split_at_checked(prefix.len())
                && start == prefix
            {
                self.found.insert(name.clone());
            }
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
            use super::I;
            fn f() { crate::e::g(); }
            #[cfg(test)]
            mod tests { use crate::H; }
        ";
        let found = |prefixes: Vec<Vec<&str>>| {
            let mut names = Names::new(&[]);
            names.prefixes = prefixes;
            names.visit_file(&syn::parse_file(source).unwrap());
            names.found.into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found(vec![vec!["crate"]]), "A b e");
        let nested = vec![vec!["crate", "b"], vec!["super"]];
        assert_eq!(found(nested), "C D I");
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
