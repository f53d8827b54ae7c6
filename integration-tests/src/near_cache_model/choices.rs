//! What the scheduler may do next.

use super::{
    mutants::NearCacheMutant,
    scenario::{Fault, Lacks, Start},
    server::{Said, Server, Writing},
    store::ACCOUNTS,
    world::{SignOut, Stage, World},
};

/// One atomic step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Tick,
    SendRead(usize, usize, usize),
    Fill(usize, usize),
    SendWrite(usize, usize),
    Write(usize, usize, usize),
    AnswerWrite(usize, usize),
    Renew(usize),
    AnswerLate(usize),
    Reply(usize),
    Hear(usize),
    DropLate(usize),
    Connect(usize, usize),
    Told(usize),
    Acknowledged(usize),
    Send(usize),
    SignOut(usize, usize),
    Second(usize),
    Answer(usize),
    Reap(usize, usize),
    Say(usize),
    Said(usize),
    Ask(usize),
    Asked(usize),
    LoseBackplane(usize),
    LoseAnswer(usize),
    LoseRegistry(usize),
    TakeOver(Lacks),
    Heal,
}

impl World<'_> {
    pub(super) fn choices(&self) -> Vec<Choice> {
        let mut choices = Vec::new();
        let over = |it: &SignOut| matches!(it.stage, Stage::Over);
        let all_over = self.sign_outs.iter().all(over);
        if all_over && self.servers.iter().all(|it| !self.may_do_harm(it)) {
            return choices;
        }
        if self.scenario.fault_first && self.faults == self.scenario.faults {
            self.reading(&mut choices);
            self.failing(&mut choices);
            return choices;
        }
        if self.scenario.ticks.is_none_or(|ticks| self.passed < ticks) {
            choices.push(Choice::Tick);
        }
        self.reading(&mut choices);
        self.writing(&mut choices);
        for (server, it) in self.servers.iter().enumerate() {
            if !all_over || self.may_do_harm(it) {
                self.linking(server, &mut choices);
            }
        }
        self.signing_out(&mut choices);
        if self.scenario.start == Start::Unsaid {
            self.saying(&mut choices);
        }
        if self.faults > 0 {
            self.failing(&mut choices);
        }
        if self.processes[1].acts() && self.processes[0].acts() {
            choices.push(Choice::Heal);
        }
        choices
    }

    /// Returns `true` if a server has anything, now or later, that it must not serve.
    fn may_do_harm(&self, it: &Server) -> bool {
        let mut ended = (0..ACCOUNTS).filter(|account| self.over[*account]);
        let writes = |it: &Writing| matches!(it, Writing::Sent | Writing::Applied(_));
        ended.any(|account| it.near_caches[account].is_some() || it.reads[account].is_some())
            || it.writes.iter().any(writes)
            || self.scenario.start == Start::Split && it.keeps
    }

    fn reading(&self, choices: &mut Vec<Choice>) {
        for &(server, account) in &self.scenario.reads {
            match &self.servers[server].reads[account] {
                None if self.servers[server].near_caches[account].is_none()
                    && self.may_fill(server) =>
                {
                    let to = self.reads_at(server).into_iter();
                    choices.extend(to.map(|at| Choice::SendRead(server, account, at)));
                }
                None => {}
                Some(_) => choices.push(Choice::Fill(server, account)),
            }
        }
    }

    fn writing(&self, choices: &mut Vec<Choice>) {
        for &(server, account) in &self.scenario.writes {
            match self.servers[server].writes[account] {
                Writing::Idle => choices.push(Choice::SendWrite(server, account)),
                Writing::Sent => {
                    let to = self.primaries().into_iter();
                    choices.extend(to.map(|at| Choice::Write(server, account, at)));
                }
                Writing::Applied(_) => choices.push(Choice::AnswerWrite(server, account)),
                Writing::Done(_) => {}
            }
        }
    }

    fn linking(&self, server: usize, choices: &mut Vec<Choice>) {
        let it = &self.servers[server];
        let Some(backplane) = &it.backplane else {
            return;
        };
        if backplane.lost || !self.processes[backplane.process].acts() {
            let to = self.link_primaries().into_iter();
            let to = to.map(|process| Choice::Connect(server, process));
            choices.extend(to);
        } else if !backplane.told {
            choices.push(Choice::Told(server));
        }
        if !backplane.queue.is_empty() {
            choices.push(Choice::Hear(server));
        }
        if it.to_drop.is_some() {
            choices.push(Choice::DropLate(server));
        }
        let longer = || {
            let until = it.clock.at(self.now) + super::clock::LEASE;
            it.own_lease.lease_until().is_none_or(|lease| lease < until)
        };
        match &it.renewal {
            None => {
                let open =
                    backplane.told && !backplane.lost && self.processes[backplane.process].acts();
                if it.keeps && open && (longer() || !self.serves_something(server)) {
                    choices.push(Choice::Renew(server));
                }
            }
            Some(_) if self.wrong(NearCacheMutant::CreditedFromReply) && !backplane.lost => {
                choices.push(Choice::Reply(server));
            }
            Some(_) => {}
        }
        if it.late.is_some() {
            choices.push(Choice::AnswerLate(server));
        }
    }

    fn signing_out(&self, choices: &mut Vec<Choice>) {
        for (number, sign_out) in self.sign_outs.iter().enumerate() {
            let before = sign_out
                .act
                .after
                .map(|before| &self.sign_outs[before].stage);
            let ready = before.is_none_or(|stage| matches!(stage, Stage::Over));
            match &sign_out.stage {
                Stage::Idle | Stage::Sent if ready && self.may_send(sign_out.act.by) => {
                    if !self.has_backplane() && sign_out.sent.is_none() {
                        choices.push(Choice::Send(number));
                        continue;
                    }
                    let to = self.primaries().into_iter();
                    choices.extend(to.map(|at| Choice::SignOut(number, at)));
                }
                Stage::Half(_) if self.servers[sign_out.act.by].open_backplane().is_some() => {
                    choices.push(Choice::Second(number));
                }
                Stage::Landed { .. } if self.may_answer(number) => {
                    choices.push(Choice::Answer(number));
                }
                _ => {}
            }
        }
        for (which, flying) in self.acks.iter().enumerate() {
            if self.servers[flying.to].open_backplane().is_some() {
                choices.push(Choice::Acknowledged(which));
            }
        }
        for which in 0..self.reaps.len() {
            let at = self.link_primaries().into_iter();
            choices.extend(at.map(|process| Choice::Reap(which, process)));
        }
    }

    fn saying(&self, choices: &mut Vec<Choice>) {
        for (server, it) in self.servers.iter().enumerate() {
            match it.said {
                Said::No if it.keeps => choices.push(Choice::Say(server)),
                Said::Applied => choices.push(Choice::Said(server)),
                Said::No | Said::From(_) => {}
            }
            let signs_out = |sign_out: &SignOut| sign_out.act.by == server;
            if self.sign_outs.iter().any(signs_out) {
                let asked_now = it.view.read.is_some_and(|(at, _)| at == self.now);
                match it.view.asked {
                    None if !asked_now => choices.push(Choice::Ask(server)),
                    None => {}
                    Some(_) => choices.push(Choice::Asked(server)),
                }
            }
        }
    }

    fn failing(&self, choices: &mut Vec<Choice>) {
        for fault in &self.scenario.kinds {
            match fault {
                Fault::BackplaneLost => {
                    let linked = self.scenario.loses.iter().copied();
                    let linked = linked.filter(|s| self.servers[*s].open_backplane().is_some());
                    choices.extend(linked.map(Choice::LoseBackplane));
                }
                Fault::AnswerLost => {
                    let sign_outs = self.sign_outs.iter().enumerate();
                    let landed =
                        sign_outs.filter(|(_, it)| matches!(it.stage, Stage::Landed { .. }));
                    choices.extend(landed.map(|(number, _)| Choice::LoseAnswer(number)));
                }
                Fault::RegistryLost => {
                    let at = self.link_primaries().into_iter();
                    choices.extend(at.map(Choice::LoseRegistry));
                }
                Fault::Failover(lacks) if !self.processes[1].began => {
                    choices.push(Choice::TakeOver(*lacks));
                }
                Fault::Failover(_) => {}
            }
        }
    }

    pub(super) fn take(&mut self, choice: Choice) {
        match choice {
            Choice::Tick => {
                self.now += 1;
                self.passed += 1;
                self.tell(|| "half a lease passes".to_owned());
            }
            Choice::SendRead(server, account, at) => self.send_read(server, account, at),
            Choice::Fill(server, account) => self.populate(server, account),
            Choice::SendWrite(server, account) => self.send_write(server, account),
            Choice::Write(server, account, at) => self.write(server, account, at),
            Choice::AnswerWrite(server, account) => self.answer_write(server, account),
            Choice::Renew(server) => self.renew(server),
            Choice::AnswerLate(server) => self.answer_late(server),
            Choice::Reply(server) => self.reply(server),
            Choice::Hear(server) => self.hear(server),
            Choice::DropLate(server) => self.drop_late(server),
            Choice::Connect(server, process) => self.connect(server, process),
            Choice::Told(server) => self.told(server),
            Choice::Acknowledged(which) => self.acknowledged(which),
            Choice::Send(number) => self.send(number),
            Choice::SignOut(number, process) => self.sign_out(number, process),
            Choice::Second(number) => self.second(number),
            Choice::Answer(number) => self.answer(number),
            Choice::Reap(which, process) => self.reap(which, process),
            Choice::Say(server) => self.say(server),
            Choice::Said(server) => self.said(server),
            Choice::Ask(server) => self.ask(server),
            Choice::Asked(server) => self.asked(server),
            Choice::Heal => self.stop(),
            fault => {
                self.faults -= 1;
                self.fail(fault);
            }
        }
        self.return_finished_sign_outs();
        self.forget_the_dead();
        self.forget_what_nobody_waits_for();
    }

    fn fail(&mut self, fault: Choice) {
        match fault {
            Choice::LoseBackplane(server) => self.lose_backplane(server),
            Choice::LoseAnswer(number) => self.lose_answer(number),
            Choice::LoseRegistry(process) => self.lose_registry(process),
            Choice::TakeOver(lacks) => {
                self.take_over(lacks);
                self.stop();
            }
            _ => {}
        }
    }
}
