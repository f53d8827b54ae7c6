//! The faults.

use super::{
    mutants::NearCacheMutant,
    scenario::Lacks,
    world::{Stage, World},
};

impl World<'_> {
    /// Loses a backplane connection. The server has yet to notice.
    pub(super) fn lose_backplane(&mut self, server: usize) {
        if let Some(backplane) = &mut self.servers[server].backplane {
            backplane.loses_all();
        }
        self.tell(|| {
            format!("server {server}'s backplane connection is lost, and it has not noticed")
        });
    }

    /// Loses the answer to an eviction. The eviction is sent again.
    pub(super) fn lose_answer(&mut self, number: usize) {
        let by = self.sign_outs[number].act.by;
        self.again(number);
        self.tell(|| format!("server {by}'s answer is lost; it will send the sign-out again"));
    }

    fn again(&mut self, number: usize) {
        self.sign_outs[number].sendings += 1;
        self.sign_outs[number].stage = Stage::Sent;
    }

    pub(super) fn lose_registry(&mut self, process: usize) {
        self.processes[process].registry = None;
        self.tell(|| format!("primary {process} loses its registry"));
    }

    /// Makes a replica a primary. The old primary continues as well.
    pub(super) fn take_over(&mut self, lacks: Lacks) {
        let mut replica = self.processes[0].clone();
        match (lacks, &mut replica.registry) {
            (Lacks::NearCacheLease(server), Some(registry)) => {
                registry.holders[server] = None;
            }
            (Lacks::Registry, registry) => *registry = None,
            (Lacks::Evictions, _) => {
                for number in 0..self.sign_outs.len() {
                    let account = self.sign_outs[number].act.account;
                    if let Stage::Landed { .. } = self.sign_outs[number].stage {
                        self.again(number);
                        replica.ended[account] = self.is_answered(account);
                    }
                }
            }
            _ => {}
        }
        self.processes[1] = replica;
        self.tell(|| match lacks {
            Lacks::Nothing => "primary 1 takes over".to_owned(),
            Lacks::NearCacheLease(server) => {
                format!("primary 1 takes over, and knows nothing of server {server}'s lease")
            }
            Lacks::Registry => "primary 1 takes over, without the registry".to_owned(),
            Lacks::Evictions => {
                "primary 1 takes over, without the eviction that was not answered".to_owned()
            }
        });
    }

    /// Demotes primary 0.
    pub(super) fn stop(&mut self) {
        self.processes[0].stopped = Some(self.now);
        let keeps = self.wrong(NearCacheMutant::DemotedKeepsListeners);
        for server in &mut self.servers {
            if let Some(backplane) = server
                .backplane
                .as_mut()
                .filter(|backplane| backplane.process == 0 && !keeps)
            {
                backplane.loses_all();
            }
        }
        self.tell(|| "primary 0 is no longer a primary".to_owned());
    }

    /// Returns `true` if a sign-out of the account has returned.
    fn is_answered(&self, account: usize) -> bool {
        self.sign_outs.iter().any(|sign_out| {
            sign_out.act.account == account
                && matches!(sign_out.stage, Stage::Clearing { .. } | Stage::Over)
        })
    }
}
