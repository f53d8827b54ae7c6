use std::sync::Arc;

use tokio::task::JoinSet;

use super::{
    back_channel, events::Event, front_channel, front_channel::Frame, sessions::Session,
    shared::Shared,
};

/// Ends the session of this cookie, if there is one: revokes what was granted in it, tells the apps that took part, and waits
/// for their answers. What is left to do is the browser's: to load the frames.
///
/// The apps are told by a task of its own, also when the browser goes away.
pub(super) async fn end(shared: &Arc<Shared>, cookie: &str) -> Vec<Frame> {
    let Some(session) = taken(shared, cookie) else {
        return Vec::new();
    };
    shared.journal.note(Event::SignedOut {
        name: session.name.clone(),
    });
    let frames = front_channel::frames(shared, &session);
    let mut messages = JoinSet::new();
    for participant in session.participants {
        let (shared, subject) = (Arc::clone(shared), session.subject.clone());
        messages.spawn(async move { back_channel::tell(&shared, &subject, &participant).await });
    }
    // The caller may go away; the messages are sent all the same.
    let _ = tokio::spawn(messages.join_all()).await;
    frames
}

fn taken(shared: &Shared, cookie: &str) -> Option<Session> {
    // As where codes are granted: one lock around both.
    let mut sessions = shared.sessions();
    let session = sessions.end(cookie)?;
    shared
        .grants()
        .end_session(|grant| session.is_of(&grant.subject, &grant.sid));
    Some(session)
}
