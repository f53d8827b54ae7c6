//! Doc comments of public items, drawn at random for a reader who does not know the code.

use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Visibility};

use crate::command;
use crate::failure::{Failure, Outcome};
use crate::metadata::Metadata;
use crate::print::print;
use crate::rust_files::rust_files;

/// The doc comment of a public item.
struct Documented {
    file: PathBuf,
    line: usize,
    item: String,
    signature: String,
    doc: String,
}

/// Prints `size` doc comments. The same seed draws the same ones as long as the code stays the same.
pub(super) fn draw(metadata: &Metadata, size: usize, seed: u64) -> Outcome {
    let mut documented = Vec::new();
    for package in metadata.published() {
        for file in rust_files(&package.folder().join("src"))? {
            documented.extend(read(&file)?);
        }
    }
    let all = documented.len();
    shuffle(&mut documented, seed);
    for Documented {
        file,
        line,
        item,
        signature,
        doc,
    } in documented.iter().take(size)
    {
        let file = file.strip_prefix(command::root()).unwrap_or(file).display();
        print(&format!("\n{file}:{line}: {item}\n    {signature}\n{doc}"));
    }
    print(&format!(
        "\n{} of {all} public items, seed {seed}",
        size.min(all)
    ));
    Ok(())
}

fn read(file: &Path) -> Outcome<Vec<Documented>> {
    let source = fs::read_to_string(file).map_err(Failure::during(file.display()))?;
    let syntax = syn::parse_file(&source).map_err(Failure::during(file.display()))?;
    let mut reader = Reader {
        file,
        source: &source,
        implements: None,
        documented: Vec::new(),
    };
    reader.visit_file(&syntax);
    Ok(reader.documented)
}

/// Visits what is `pub`: the lint `unreachable_pub` makes sure that this is what an app can reach.
struct Reader<'a> {
    file: &'a Path,
    source: &'a str,
    /// The type of the `impl` block that is visited.
    implements: Option<String>,
    documented: Vec<Documented>,
}

impl Reader<'_> {
    fn add(&mut self, attributes: &[Attribute], item: &str, name: &syn::Ident) {
        let doc: Vec<String> = attributes.iter().filter_map(doc_line).collect();
        if !doc.is_empty() {
            let line = name.span().start().line;
            self.documented.push(Documented {
                file: self.file.to_owned(),
                line,
                signature: signature(self.source, line),
                item: format!("{item} {name}"),
                doc: doc.join("\n"),
            });
        }
    }
}

/// Returns the signature that begins in this line, up to its body, on one line.
fn signature(source: &str, line: usize) -> String {
    let mut parts = Vec::new();
    for part in source.lines().skip(line.saturating_sub(1)) {
        parts.push(part.trim());
        if part.ends_with(['{', '}', ';']) || (parts.len() == 1 && part.ends_with(',')) {
            break;
        }
    }
    parts.join(" ")
}

/// Returns a line of a doc comment, or `None` for any other attribute.
fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    match &pair.value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(line),
            ..
        }) if pair.path.is_ident("doc") => Some(line.value()),
        _ => None,
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if is_public(&item.vis) {
            self.add(&item.attrs, "struct", &item.ident);
            for field in item.fields.iter().filter(|field| is_public(&field.vis)) {
                if let Some(name) = &field.ident {
                    self.add(&field.attrs, &format!("field of {}:", item.ident), name);
                }
            }
        }
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        if is_public(&item.vis) {
            self.add(&item.attrs, "enum", &item.ident);
            for variant in &item.variants {
                let of = format!("variant of {}:", item.ident);
                self.add(&variant.attrs, &of, &variant.ident);
            }
        }
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        if is_public(&item.vis) {
            self.add(&item.attrs, "trait", &item.ident);
            for part in &item.items {
                if let syn::TraitItem::Fn(method) = part {
                    let of = format!("method of {}:", item.ident);
                    self.add(&method.attrs, &of, &method.sig.ident);
                }
            }
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if is_public(&item.vis) {
            self.add(&item.attrs, "fn", &item.sig.ident);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let outer = self.implements.take();
        if let syn::Type::Path(path) = &*item.self_ty {
            let name = path.path.segments.last();
            self.implements = name.map(|name| name.ident.to_string());
        }
        visit::visit_item_impl(self, item);
        self.implements = outer;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if is_public(&item.vis) {
            let of = self.implements.as_deref().unwrap_or("a type");
            self.add(&item.attrs, &format!("method of {of}:"), &item.sig.ident);
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        if is_public(&item.vis) {
            self.add(&item.attrs, "const", &item.ident);
        }
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        if is_public(&item.vis) {
            self.add(&item.attrs, "type", &item.ident);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_none() && is_public(&item.vis) {
            self.add(&item.attrs, "module", &item.ident);
        }
        visit::visit_item_mod(self, item);
    }
}

/// Shuffles by the generator `SplitMix64`, which gives the same order for the same seed on every machine.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    for at in (1..items.len()).rev() {
        let bound = u64::try_from(at + 1).unwrap_or(u64::MAX);
        items.swap(at, usize::try_from(next() % bound).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use syn::visit::Visit;

    use super::{Path, Reader, shuffle, signature};

    #[test]
    fn public_items_alone_are_drawn() {
        let source = "
            /// A.
            pub struct A { /// b.
                pub b: u8, /// c.
                c: u8 }
            /// D.
            pub(crate) struct D;
            impl A { /// e.
                pub fn e() {} /// f.
                fn f() {} }
            /// G.
            pub enum G { /// H.
                H }
        ";
        let mut reader = Reader {
            file: Path::new("a.rs"),
            source,
            implements: None,
            documented: Vec::new(),
        };
        reader.visit_file(&syn::parse_file(source).unwrap());
        let items: Vec<_> = reader
            .documented
            .iter()
            .map(|it| (it.line, it.item.as_str()))
            .collect();
        let expected = [
            (3, "struct A"),
            (4, "field of A: b"),
            (9, "method of A: e"),
            (12, "enum G"),
            (13, "variant of G: H"),
        ];
        assert_eq!(items, expected);
    }

    #[test]
    fn a_signature_may_take_several_lines() {
        let source = "/// A.\npub fn a(\n    b: u8,\n) -> u8 {\n    0\n}\n";
        assert_eq!(signature(source, 2), "pub fn a( b: u8, ) -> u8 {");
    }

    #[test]
    fn a_seed_decides_the_order() {
        let drawn = |seed| {
            let mut items: Vec<u32> = (0..100).collect();
            shuffle(&mut items, seed);
            items
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        let mut sorted = drawn(7);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<u32>>());
    }
}
