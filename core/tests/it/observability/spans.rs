//! Collects the spans of a test.

use std::sync::{Arc, Mutex};

use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// The name of each span, and its recorded fields.
#[derive(Clone, Default)]
pub(crate) struct Spans(Arc<Mutex<Vec<(String, String)>>>);

impl Spans {
    pub(crate) fn told(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().clone()
    }

    fn tell(&self, span: &str, fields: String) {
        self.0.lock().unwrap().push((span.to_owned(), fields));
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        use std::fmt::Write;
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut text = Text(String::new());
        attributes.record(&mut text);
        self.tell(attributes.metadata().name(), text.0);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut text = Text(String::new());
        values.record(&mut text);
        self.tell(context.span(id).unwrap().name(), text.0);
    }
}
