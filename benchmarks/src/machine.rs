use std::fs;

/// How busy a Linux machine is with other things than what is measured, from a moment on.
#[derive(Debug)]
pub(crate) struct Watch {
    processes: Vec<u32>,
    start: Option<Ticks>,
}

/// Processor time so far.
#[derive(Debug, Clone, Copy)]
struct Ticks {
    /// Idle or not, over all processors.
    all: f64,
    busy: f64,
    /// Of the watched processes.
    ours: f64,
}

impl Watch {
    /// Watches from now on. This process and `server` are what is measured.
    pub(crate) fn start(server: Option<u32>) -> Self {
        let processes: Vec<u32> = server.into_iter().chain([std::process::id()]).collect();
        Self {
            start: ticks(&processes),
            processes,
        }
    }

    /// Returns the share of the processors that other processes used since the start, or `None` if the system does not report it.
    pub(crate) fn others(&self) -> Option<f64> {
        let (start, end) = (self.start?, ticks(&self.processes)?);
        let others = (end.busy - start.busy) - (end.ours - start.ours);
        Some((others / (end.all - start.all)).clamp(0.0, 1.0))
    }
}

fn ticks(processes: &[u32]) -> Option<Ticks> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().next()?.strip_prefix("cpu")?;
    // user nice system idle iowait irq softirq steal; guests are in user already.
    let fields: Vec<f64> = line
        .split_whitespace()
        .take(8)
        .map_while(|field| field.parse().ok())
        .collect();
    let all: f64 = fields.iter().sum();
    let idle = fields.get(3)? + fields.get(4)?;
    let ours = processes.iter().filter_map(|process| of_process(*process));
    Some(Ticks {
        all,
        busy: all - idle,
        ours: ours.sum(),
    })
}

fn of_process(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may hold anything; user and system time are the 12th and 13th field after it.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<f64>().ok();
    Some(next()? + next()?)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_time_of_this_process_is_known_and_grows() {
        let id = std::process::id();
        let before = of_process(id).unwrap();
        while of_process(id).unwrap() <= before {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn others_take_a_share() {
        let watch = Watch::start(None);
        let start = watch.start.unwrap().all;
        while ticks(&watch.processes).unwrap().all <= start {
            std::hint::spin_loop();
        }
        assert!((0.0..=1.0).contains(&watch.others().unwrap()));
    }
}
