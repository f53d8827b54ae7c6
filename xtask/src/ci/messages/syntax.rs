//! Small questions about Rust syntax.

use proc_macro2::{Literal, TokenStream, TokenTree};
use syn::{Expr, ExprMethodCall, FnArg, Lit, Pat};

/// Returns the kind at the beginning of a chain such as `Error::new(ErrorKind::Full, "write an entry").store("memory")`.
pub(super) fn kind_of(expression: &Expr) -> Option<String> {
    match expression {
        Expr::MethodCall(call) => kind_of(&call.receiver),
        Expr::Call(call) => match call.args.first()? {
            Expr::Path(kind) if kind.path.segments.len() > 1 => {
                Some(kind.path.segments.last()?.ident.to_string())
            }
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn is_conversion(call: &ExprMethodCall) -> bool {
    ["into", "to_owned", "as_str", "clone"]
        .iter()
        .any(|name| call.method == name)
}

pub(super) fn identifier(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Path(path) => Some(path.path.segments.last()?.ident.to_string()),
        _ => None,
    }
}

pub(super) fn pattern(pattern: &Pat) -> Option<String> {
    match pattern {
        Pat::Ident(it) => Some(it.ident.to_string()),
        Pat::Type(it) => self::pattern(&it.pat),
        _ => None,
    }
}

pub(super) fn parameters(signature: &syn::Signature) -> Vec<Option<String>> {
    let name = |argument: &FnArg| match argument {
        FnArg::Receiver(_) => None,
        FnArg::Typed(it) => pattern(&it.pat),
    };
    signature.inputs.iter().map(name).collect()
}

/// Returns a string literal, or the format of `format!` or `concat!`.
pub(super) fn literal(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(it) => match &it.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        Expr::Macro(it) if it.mac.path.is_ident("concat") => {
            Some(all_literals(it.mac.tokens.clone()))
        }
        Expr::Macro(it) if it.mac.path.is_ident("format") => first_literal(it.mac.tokens.clone()),
        _ => None,
    }
}

fn first_literal(tokens: TokenStream) -> Option<String> {
    match tokens.into_iter().next()? {
        TokenTree::Literal(literal) => text_of(&literal),
        _ => None,
    }
}

/// Joins the literals of `concat!`. What a macro's variable stands for is a word.
fn all_literals(tokens: TokenStream) -> String {
    let piece = |token| match token {
        TokenTree::Literal(literal) => text_of(&literal),
        TokenTree::Ident(_) => Some("{}".to_owned()),
        _ => None,
    };
    tokens.into_iter().filter_map(piece).collect()
}

fn text_of(literal: &Literal) -> Option<String> {
    match Lit::new(literal.clone()) {
        Lit::Str(text) => Some(text.value()),
        _ => None,
    }
}
