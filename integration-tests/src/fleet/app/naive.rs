use std::{collections::HashMap, fmt};

use aws_sdk_dynamodb::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::{
        AttributeValue, DeleteRequest, KeysAndAttributes, PutRequest, ReturnValue, WriteRequest,
    },
};

use super::{Ended, Failure, found, misled, needed, tokens};
use crate::{
    fleet::{Design, wire::Task},
    history::{Account, Op, Outcome, Scope, Sid},
    servers::{TABLE, dynamodb_client},
};

type Item = HashMap<String, AttributeValue>;

const HEAD: &str = "#";
const BATCH: usize = 25;

/// A cache as apps build it on DynamoDB without token-cache: a user's tokens in items of one partition, and an item for each user under a
/// `sid` or an issuer. [`Design`] describes its sign-outs.
pub(in crate::fleet) struct NaiveTable {
    client: Client,
    prefix: String,
    design: Design,
}

impl NaiveTable {
    pub(super) fn open(url: &str, design: Design) -> Result<Self, Failure> {
        let parameters = url.split_once('?').map(|(_, query)| query);
        let parameter = |name: &str| {
            let all = parameters.into_iter().flat_map(|query| query.split('&'));
            let mut pairs = all.filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let endpoint = parameter("endpoint").ok_or_else(|| misled("the URL has no endpoint"))?;
        Ok(Self {
            client: dynamodb_client(endpoint),
            prefix: parameter("prefix").unwrap_or("naive").to_owned(),
            design,
        })
    }

    pub(super) async fn carry_out(&self, task: &Task) -> Ended {
        match &task.op {
            Op::SignIn { account, sid, .. } => {
                let user = user(*account);
                let mut times = vec![of_issuer(account.issuer)];
                times.extend(sid.map(of_sid));
                let puts = times
                    .iter()
                    .map(|place| put_request(self.key(place, &user)))
                    .collect::<Result<_, _>>()?;
                self.write_batch(puts).await?;
                let stamp = match self.design {
                    Design::LateCounter | Design::RecreatedHead => self.count(&user, 0).await?,
                    _ => String::new(),
                };
                Ok((Outcome::Done, Some(format!("{user} {stamp}"))))
            }
            Op::Resume { .. } => Ok((Outcome::Done, None)),
            Op::Get { entry, .. } => {
                let (user, _) = ticket(task)?;
                match self.read(user, *entry).await? {
                    None => Ok((Outcome::Miss, None)),
                    Some(tokens) => Ok((found(&tokens)?, None)),
                }
            }
            Op::Put {
                session,
                entry,
                write,
                ..
            } => {
                let (user, began) = ticket(task)?;
                let stamp = match self.design {
                    Design::LateCounter => self.count(user, 0).await?,
                    _ => began.to_owned(),
                };
                let value = Blob::new(tokens(*session, *write, task.padding));
                let put = self.client.put_item().table_name(TABLE);
                put.set_item(Some(self.key(user, &entry_key(*entry))))
                    .item("d", AttributeValue::B(value))
                    .item("g", AttributeValue::S(stamp))
                    .send()
                    .await?;
                Ok((Outcome::Done, None))
            }
            Op::SignOut(scope) | Op::SignOutAtOnce(scope) => {
                for user in self.users(scope, task).await? {
                    self.sign_out(&user).await?;
                }
                Ok((Outcome::Done, None))
            }
        }
    }

    async fn sign_out(&self, user: &str) -> Result<(), Failure> {
        match self.design {
            Design::LateCounter => drop(self.count(user, 1).await?),
            Design::RecreatedHead => {
                let delete = self.client.delete_item().table_name(TABLE);
                delete.set_key(Some(self.key(user, HEAD))).send().await?;
            }
            _ => {
                let deletes = self
                    .sort_keys(user)
                    .await?
                    .iter()
                    .map(|sk| delete_request(self.key(user, sk)))
                    .collect::<Result<_, _>>()?;
                self.write_batch(deletes).await?;
            }
        }
        Ok(())
    }

    /// Adds to a user's counter, which begins at 0, and returns its new value.
    async fn count(&self, user: &str, more: u32) -> Result<String, Failure> {
        let updated = self
            .client
            .update_item()
            .table_name(TABLE)
            .set_key(Some(self.key(user, HEAD)))
            .update_expression("SET #g = if_not_exists(#g, :zero) + :more")
            .expression_attribute_names("#g", "g")
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":more", number(more))
            .return_values(ReturnValue::AllNew)
            .send()
            .await?;
        match updated.attributes.and_then(|mut item| item.remove("g")) {
            Some(AttributeValue::N(counter)) => Ok(counter),
            _ => Err(misled("the counter is not a number")),
        }
    }

    async fn read(&self, user: &str, entry: u8) -> Result<Option<Vec<u8>>, Failure> {
        let keys = KeysAndAttributes::builder()
            .keys(self.key(user, HEAD))
            .keys(self.key(user, &entry_key(entry)))
            .consistent_read(true)
            .build()
            .map_err(|error| misled(&error.to_string()))?;
        let got = self
            .client
            .batch_get_item()
            .request_items(TABLE, keys)
            .send()
            .await?;
        let mut items = got.responses.unwrap_or_default();
        let (mut tokens, mut stamp, mut counter) = (None, None, None);
        for mut item in items.remove(TABLE).unwrap_or_default() {
            match (item.remove("d"), item.remove("g")) {
                (Some(AttributeValue::B(data)), Some(AttributeValue::S(of))) => {
                    (tokens, stamp) = (Some(data.into_inner()), Some(of));
                }
                (_, Some(AttributeValue::N(now))) => counter = Some(now),
                _ => {}
            }
        }
        let counts = self.design == Design::DeleteByQuery || counter == stamp;
        Ok(tokens.filter(|_| counts))
    }

    async fn users(&self, scope: &Scope, task: &Task) -> Result<Vec<String>, Failure> {
        Ok(match scope {
            Scope::Session(_) => vec![ticket(task)?.0.to_owned()],
            Scope::Account(account)
            | Scope::Message {
                account: Some(account),
                ..
            } => vec![user(*account)],
            Scope::Accounts(accounts) => accounts.iter().map(|one| user(*one)).collect(),
            Scope::ProviderSession(sid) | Scope::Message { sid: Some(sid), .. } => {
                self.sort_keys(&of_sid(*sid)).await?
            }
            Scope::Issuer(issuer) => self.sort_keys(&of_issuer(*issuer)).await?,
            Scope::Message { .. } => return Err(misled("the message names no account")),
        })
    }

    async fn sort_keys(&self, partition: &str) -> Result<Vec<String>, Failure> {
        let queried = self
            .client
            .query()
            .table_name(TABLE)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", self.partition(partition))
            .send()
            .await?;
        let keys = queried.items.unwrap_or_default().into_iter();
        let keys = keys.filter_map(|mut item| match item.remove("sk") {
            Some(AttributeValue::S(sk)) => Some(sk),
            _ => None,
        });
        Ok(keys.collect())
    }

    async fn write_batch(&self, requests: Vec<WriteRequest>) -> Result<(), Failure> {
        for chunk in requests.chunks(BATCH) {
            let mut left = HashMap::from([(TABLE.to_owned(), chunk.to_vec())]);
            while !left.is_empty() {
                let write = self.client.batch_write_item();
                let written = write.set_request_items(Some(left)).send().await?;
                left = written.unprocessed_items.unwrap_or_default();
            }
        }
        Ok(())
    }

    fn partition(&self, name: &str) -> AttributeValue {
        AttributeValue::S(format!("{}:{name}", self.prefix))
    }

    fn key(&self, partition: &str, sk: &str) -> Item {
        HashMap::from([
            ("pk".to_owned(), self.partition(partition)),
            ("sk".to_owned(), AttributeValue::S(sk.to_owned())),
        ])
    }
}

impl fmt::Debug for NaiveTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NaiveTable")
            .field("design", &self.design)
            .finish_non_exhaustive()
    }
}

impl<E, R> From<SdkError<E, R>> for Failure
where
    SdkError<E, R>: std::error::Error,
    E: ProvideErrorMetadata,
{
    fn from(error: SdkError<E, R>) -> Self {
        let code = error
            .as_service_error()
            .and_then(ProvideErrorMetadata::code);
        Self {
            kind: code.unwrap_or("Unavailable").to_owned(),
            maybe: true,
            message: DisplayErrorContext(error).to_string(),
            signed_out: false,
        }
    }
}

fn put_request(item: Item) -> Result<WriteRequest, Failure> {
    let put = PutRequest::builder().set_item(Some(item)).build();
    let put = put.map_err(|error| misled(&error.to_string()))?;
    Ok(WriteRequest::builder().put_request(put).build())
}

fn delete_request(key: Item) -> Result<WriteRequest, Failure> {
    let delete = DeleteRequest::builder().set_key(Some(key)).build();
    let delete = delete.map_err(|error| misled(&error.to_string()))?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}

fn number(of: u32) -> AttributeValue {
    AttributeValue::N(of.to_string())
}

/// Returns the user, and the counter when the session began.
fn ticket(task: &Task) -> Result<(&str, &str), Failure> {
    let ticket = needed(task.ticket.as_ref(), "ticket")?;
    ticket
        .split_once(' ')
        .ok_or_else(|| misled("the ticket is of another design"))
}

fn user(account: Account) -> String {
    format!("user:{}:{}", account.issuer, account.subject)
}

fn of_sid(sid: Sid) -> String {
    format!("sid:{}:{}", sid.issuer, sid.number)
}

fn of_issuer(issuer: u32) -> String {
    format!("issuer:{issuer}")
}

fn entry_key(entry: u8) -> String {
    format!("T:{entry}")
}
