//! Finds where errors are constructed, and follows each message to the literals that it is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ExprMethodCall, ExprStruct, Stmt};

use super::syntax::{identifier, is_conversion, kind_of, literal, parameters, pattern};
use crate::failure::{Failure, Outcome};

/// An operation or a message of an error, where it is constructed.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) file: PathBuf,
    pub(super) line: usize,
    /// The error's kind, if the site names it.
    pub(super) kind: Option<String>,
    pub(super) text: Text,
}

/// The text at a site.
#[derive(Debug)]
pub(super) enum Text {
    /// The failed operation, an infinitive.
    Operation(String),
    /// Everything that the message can be.
    Messages(Vec<String>),
    /// A message that does not lead to a literal.
    Unknown,
}

/// A function or closure that passes one of its parameters on as a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Helper {
    /// The file and the name, with `Type::` in front for an associated function.
    file: PathBuf,
    name: String,
    parameter: usize,
    kind: Option<String>,
}

/// Returns every site in the sources of a crate, each with its file.
pub(super) fn find(sources: &[(PathBuf, String)]) -> Outcome<Vec<Site>> {
    let mut crate_ = Crate::default();
    let mut parsed = Vec::new();
    for (file, source) in sources {
        let syntax = syn::parse_file(source).map_err(Failure::during(file.display()))?;
        Constants(&mut crate_.constants).visit_file(&syntax);
        parsed.push((file, syntax));
    }
    // A helper may be called by another helper, so this is repeated until no further one is found.
    loop {
        let known = crate_.helpers.len();
        let mut sites = Vec::new();
        for (file, syntax) in &parsed {
            let mut reader = Reader::new(file, &mut crate_, &mut sites);
            reader.visit_file(syntax);
        }
        if crate_.helpers.len() == known {
            return Ok(sites);
        }
    }
}

#[derive(Default)]
struct Crate {
    constants: BTreeMap<String, String>,
    helpers: BTreeSet<Helper>,
}

struct Constants<'a>(&'a mut BTreeMap<String, String>);

impl<'ast> Visit<'ast> for Constants<'_> {
    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        if let Some(text) = literal(&item.expr) {
            self.0.insert(item.ident.to_string(), text);
        }
    }
}

/// A function or closure that is being read.
struct Function {
    name: Option<String>,
    parameters: Vec<Option<String>>,
    locals: BTreeMap<String, Expr>,
}

struct Reader<'a> {
    file: &'a Path,
    crate_: &'a mut Crate,
    sites: &'a mut Vec<Site>,
    functions: Vec<Function>,
    /// The type whose `impl` block is being read.
    of_type: Option<String>,
    /// The name that the next closure is bound to.
    binding: Option<String>,
}

impl<'a> Reader<'a> {
    fn new(file: &'a Path, crate_: &'a mut Crate, sites: &'a mut Vec<Site>) -> Self {
        Self {
            file,
            crate_,
            sites,
            functions: Vec::new(),
            of_type: None,
            binding: None,
        }
    }

    fn add(&mut self, at: &impl Spanned, kind: Option<String>, text: Text) {
        self.sites.push(Site {
            file: self.file.to_owned(),
            line: at.span().start().line,
            kind,
            text,
        });
    }

    fn operation(&mut self, argument: Option<&Expr>) {
        let Some(argument) = argument else { return };
        // What is no literal is the parameter of a helper, whose callers are sites of their own.
        if let Some(text) = self.text(argument) {
            self.add(argument, None, Text::Operation(text));
        }
    }

    fn message(&mut self, argument: Option<&Expr>, kind: Option<String>) {
        let Some(argument) = argument else { return };
        let mut found = Found::default();
        self.follow(argument, kind.as_deref(), &mut found);
        let text = if found.is_unknown {
            Text::Unknown
        } else if found.texts.is_empty() {
            return;
        } else {
            Text::Messages(found.texts)
        };
        self.add(argument, kind, text);
    }

    /// Returns the literal or constant that an expression is.
    fn text(&self, expression: &Expr) -> Option<String> {
        literal(expression).or_else(|| self.crate_.constants.get(&identifier(expression)?).cloned())
    }

    /// Collects every literal that an expression can be.
    fn follow(&mut self, expression: &Expr, kind: Option<&str>, found: &mut Found) {
        if let Some(text) = self.text(expression) {
            found.texts.push(text);
            return;
        }
        match expression {
            Expr::Reference(it) => self.follow(&it.expr, kind, found),
            Expr::Paren(it) => self.follow(&it.expr, kind, found),
            Expr::Block(it) => self.follow_block(&it.block, kind, found),
            Expr::If(it) => {
                self.follow_block(&it.then_branch, kind, found);
                match &it.else_branch {
                    Some((_, otherwise)) => self.follow(otherwise, kind, found),
                    None => found.is_unknown = true,
                }
            }
            Expr::Match(it) => {
                for arm in &it.arms {
                    self.follow(&arm.body, kind, found);
                }
            }
            // What is no text becomes one by `to_string`: the message of another error, whose own sites are checked.
            Expr::MethodCall(it) if it.method == "to_string" => {
                found.texts.extend(self.text(&it.receiver));
            }
            Expr::MethodCall(it) if is_conversion(it) => self.follow(&it.receiver, kind, found),
            Expr::Path(_) => match identifier(expression) {
                Some(name) => self.follow_name(&name, kind, found),
                None => found.is_unknown = true,
            },
            Expr::MethodCall(_) | Expr::Call(_) | Expr::Field(_) | Expr::Return(_) => {}
            _ => found.is_unknown = true,
        }
    }

    fn follow_block(&mut self, block: &syn::Block, kind: Option<&str>, found: &mut Found) {
        match block.stmts.last() {
            Some(Stmt::Expr(last, _)) => self.follow(last, kind, found),
            _ => found.is_unknown = true,
        }
    }

    /// Follows a local variable, or makes a helper of the function whose parameter the name is.
    fn follow_name(&mut self, name: &str, kind: Option<&str>, found: &mut Found) {
        for at in (0..self.functions.len()).rev() {
            // Removed meanwhile, since it may be made of the name that it shadows.
            if let Some(value) = self.functions[at].locals.remove(name) {
                self.follow(&value, kind, found);
                self.functions[at].locals.insert(name.to_owned(), value);
                return;
            }
            let function = &self.functions[at];
            let parameter = function
                .parameters
                .iter()
                .position(|it| it.as_deref() == Some(name));
            if let Some(parameter) = parameter {
                let helper = function.name.clone().map(|name| Helper {
                    file: self.file.to_owned(),
                    name,
                    parameter,
                    kind: kind.map(str::to_owned),
                });
                // The parameter of a closure without a name is the message of another error.
                self.crate_.helpers.extend(helper);
                return;
            }
        }
        // A pattern's variable, or a loop's: its values come from another site.
    }

    /// Returns `Type::name`, with the type that `Self` stands for.
    fn qualified(&self, of: &str, name: &str) -> String {
        let of = match &self.of_type {
            Some(of_type) if of == "Self" => of_type,
            _ => of,
        };
        format!("{of}::{name}")
    }

    /// Returns the helpers that a call can mean: those of the same file, or else those of the crate.
    fn helpers(&self, is_called: impl Fn(&Helper) -> bool) -> Vec<Helper> {
        let helpers = self
            .crate_
            .helpers
            .iter()
            .filter(|helper| is_called(helper));
        let (here, elsewhere): (Vec<_>, Vec<_>) = helpers
            .cloned()
            .partition(|helper| helper.file == self.file);
        if here.is_empty() { elsewhere } else { here }
    }

    fn enter(&mut self, name: Option<String>, parameters: Vec<Option<String>>) {
        self.functions.push(Function {
            name,
            parameters,
            locals: BTreeMap::new(),
        });
    }
}

#[derive(Default)]
struct Found {
    texts: Vec<String>,
    is_unknown: bool,
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.enter(Some(item.sig.ident.to_string()), parameters(&item.sig));
        visit::visit_item_fn(self, item);
        self.functions.pop();
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.of_type = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|it| it.ident.to_string()),
            _ => None,
        };
        visit::visit_item_impl(self, item);
        self.of_type = None;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let name = self.qualified("Self", &item.sig.ident.to_string());
        self.enter(Some(name), parameters(&item.sig));
        visit::visit_impl_item_fn(self, item);
        self.functions.pop();
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        let name = self.binding.take();
        self.enter(name, closure.inputs.iter().map(pattern).collect());
        visit::visit_expr_closure(self, closure);
        self.functions.pop();
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let (Some(name), Some(init)) = (pattern(&local.pat), &local.init) {
            if matches!(&*init.expr, Expr::Closure(_)) {
                self.binding = Some(name);
            } else if let Some(function) = self.functions.last_mut() {
                function.locals.insert(name, (*init.expr).clone());
            }
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(path) = &*call.func {
            let segments: Vec<String> = path
                .path
                .segments
                .iter()
                .map(|it| it.ident.to_string())
                .collect();
            let name = segments.last().cloned().unwrap_or_default();
            let of = segments.iter().rev().nth(1).map(String::as_str);
            match (of, name.as_str()) {
                (Some("Error"), "new") => self.operation(call.args.get(1)),
                (Some("Error"), "signed_out") => self.operation(call.args.first()),
                (Some("Error"), "misuse" | "config") => {
                    let kind = if name == "misuse" { "Misuse" } else { "Config" };
                    self.operation(call.args.first());
                    self.message(call.args.get(1), Some(kind.to_owned()));
                }
                (Some("ConfigError"), "new") => {
                    self.message(call.args.first(), Some("Config".to_owned()));
                }
                (Some("FetchError"), "new")
                | (Some("RefreshError"), "transient" | "invalid_grant" | "refused" | "malformed") =>
                {
                    self.message(call.args.first(), None);
                }
                _ => {
                    let is_type = |of: &&str| of.starts_with(char::is_uppercase);
                    let name = match of.filter(is_type) {
                        Some(of) => self.qualified(of, &name),
                        None => name,
                    };
                    for helper in self.helpers(|helper| helper.name == name) {
                        self.message(call.args.get(helper.parameter), helper.kind);
                    }
                }
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if call.method == "message" && call.args.len() == 1 {
            self.message(call.args.first(), kind_of(&call.receiver));
        }
        // Another type may have a method of the same name, so only those of the same file are followed.
        let file = self.file;
        let is_called = |helper: &Helper| {
            let (_, name) = helper.name.split_once("::").unwrap_or_default();
            call.method == name && helper.parameter > 0 && helper.file == file
        };
        for helper in self.helpers(is_called) {
            // The first parameter is `self`.
            self.message(call.args.get(helper.parameter - 1), helper.kind);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_struct(&mut self, expression: &'ast ExprStruct) {
        let name = expression.path.segments.last();
        let name = name.map(|it| it.ident.to_string()).unwrap_or_default();
        let name = match &self.of_type {
            Some(of_type) if name == "Self" => of_type.clone(),
            _ => name,
        };
        // Other structs have messages of a provider.
        if name.ends_with("Error") || name == "Class" {
            for field in &expression.fields {
                if matches!(&field.member, syn::Member::Named(name) if name == "message") {
                    self.message(Some(&field.expr), None);
                }
            }
        }
        visit::visit_expr_struct(self, expression);
    }
}

#[cfg(test)]
mod tests;
