use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::command;
use crate::failure::{Failure, Outcome};

/// The output of `cargo metadata`: the workspace and all its dependencies.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) rust_version: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) targets: Vec<Target>,
    manifest_path: PathBuf,
    /// Registries it may go to: any, or an empty list for none.
    publish: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) req: String,
    /// `None` for a normal dependency.
    pub(crate) kind: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Debug, Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

impl Metadata {
    /// With every feature on, so that nothing optional is overlooked.
    pub(crate) fn read() -> Outcome<Self> {
        let arguments = ["metadata", "--format-version", "1", "--all-features"];
        let output = command::cargo(arguments)
            .output()
            .map_err(Failure::during("cargo metadata"))?;
        if !output.status.success() {
            return Err(Failure::new(String::from_utf8_lossy(&output.stderr)));
        }
        serde_json::from_slice(&output.stdout).map_err(Failure::during("cargo metadata"))
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The members meant for publication.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.members().filter(|package| package.is_published())
    }

    /// Returns `true` if the member has a binary of this name.
    pub(crate) fn has_binary(&self, package: &str, name: &str) -> bool {
        let is_binary =
            |target: &Target| target.name == name && target.kind.iter().any(|kind| kind == "bin");
        self.members()
            .any(|member| member.name == package && member.targets.iter().any(is_binary))
    }

    /// Returns everything that an app which depends on `package` compiles: its normal and build dependencies.
    ///
    /// The packages of `without`, and those that only they depend on, are left out.
    pub(crate) fn compiled_with<'a>(
        &'a self,
        package: &'a Package,
        without: &[&Package],
    ) -> Vec<&'a Package> {
        let is_out = |id: &str| without.iter().any(|out| out.id == id);
        let mut reached = vec![package.id.as_str()];
        let mut next = 0;
        while let Some(id) = reached.get(next).copied() {
            next += 1;
            let node = self.resolve.nodes.iter().find(|node| node.id == id);
            for edge in node.into_iter().flat_map(|node| &node.deps) {
                let is_compiled = edge
                    .dep_kinds
                    .iter()
                    .any(|edge| edge.kind.as_deref() != Some("dev"));
                if is_compiled && !is_out(&edge.pkg) && !reached.contains(&edge.pkg.as_str()) {
                    reached.push(&edge.pkg);
                }
            }
        }
        self.packages
            .iter()
            .filter(|other| other.id != package.id && reached.contains(&other.id.as_str()))
            .collect()
    }
}

impl Package {
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new("."))
    }

    pub(crate) fn is_published(&self) -> bool {
        self.publish
            .as_ref()
            .is_none_or(|registries| !registries.is_empty())
    }
}
