//! The capacity that the DynamoDB store uses, as the engine counts it, beside two usual designs on the same table.

mod bench;
mod capacity;
mod day;
mod ours;
mod usual;

use self::{
    bench::{Bench, Size},
    capacity::Cost,
    usual::{ItemPerAccount, ItemPerEntry},
};
use crate::{
    Result,
    args::Args,
    figure::{Better, Figure},
    report,
};

/// How many entries an account has.
const ENTRIES: [usize; 4] = [1, 10, 1_000, 10_000];

/// All figures of this suite.
pub(crate) async fn run(args: &Args) -> Result<Vec<Figure>> {
    let bench = Bench::start().await?;
    let entries = if args.quick { &ENTRIES[..2] } else { &ENTRIES };
    let mut figures = Vec::new();
    let mut rows = Vec::new();
    let mut days = Vec::new();
    for size in &Size::ALL {
        report::progress(&format!("dynamodb, tokens of {} bytes", size.value));
        let mut of_size = Vec::new();
        for entries in entries {
            let ours = bench.ours(size, *entries).await?;
            rows.push(row("token-cache", size, *entries, Some(&ours)));
            let usual = bench.item_per_entry(size, *entries).await?;
            rows.push(row("an item an entry", size, *entries, Some(&usual)));
            let usual = bench.item_per_account(size, *entries).await?;
            rows.push(row("an item an account", size, *entries, usual.as_ref()));
            of_size.push(ours);
        }
        figures.extend(of_operations(size, &of_size));
        days.push(day::cost(args, size, &of_size[0], bench.sign_in().await?));
    }
    report::rows(
        "Requests and capacity of one operation on an account that holds so many tokens:",
        &["design", "bytes", "tokens", "read", "write", "sign-out"],
        &rows,
    );
    report::rows(
        &day::assumptions(args),
        &["bytes", "RCU a user", "WCU a user", "a day"],
        &days,
    );
    figures.retain(|figure: &Figure| args.wants(&figure.name));
    Ok(figures)
}

/// The cost of an account's operations in one design.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operations {
    read: Cost,
    write: Cost,
    sign_out: Cost,
    /// Only ours has one.
    refresh: Option<Cost>,
}

fn of_operations(size: &Size, measured: &[Operations]) -> Vec<Figure> {
    let costs = |of: fn(&Operations) -> Option<Cost>| measured.iter().filter_map(of).collect();
    let operations: [(&str, Vec<Cost>, Cost); 4] = [
        ("read", costs(|all| Some(all.read)), size.read()),
        ("write", costs(|all| Some(all.write)), size.write()),
        (
            "sign-out",
            costs(|all| Some(all.sign_out)),
            Size::sign_out(),
        ),
        ("refresh", costs(|all| all.refresh), size.refresh()),
    ];
    let mut figures = Vec::new();
    for (operation, costs, goal) in operations {
        let mut figure = |unit: &str, of: fn(&Cost) -> f64| {
            let values: Vec<f64> = costs.iter().map(of).collect();
            let name = format!("dynamodb/{operation}/{unit}/{}", size.name);
            figures.push(Figure::new(name, &values, Better::Lower, of(&goal)));
        };
        figure("requests", |cost| f64::from(cost.requests));
        figure("rcu", |cost| cost.rcu);
        figure("wcu", |cost| cost.wcu);
    }
    figures
}

fn row(design: &str, size: &Size, entries: usize, measured: Option<&Operations>) -> String {
    let cells = measured.map_or_else(
        || "does not fit in 400 KB | | ".to_owned(),
        |all| [all.read, all.write, all.sign_out].map(cell).join(" | "),
    );
    format!("| {design} | {} | {entries} | {cells} |", size.value)
}

fn cell(cost: Cost) -> String {
    format!("{} req, {} RCU, {} WCU", cost.requests, cost.rcu, cost.wcu)
}
